//! Standard input and FIFOs.

use std::fs;
use std::io::{Cursor, Read};
use std::process::Command;
use std::thread;

use audit_who_core::Inputs;

use super::{Folder, gzip, log, scan, zstd};

/// Gives one byte more with each read, as a slow pipe does.
struct Trickle(Cursor<Vec<u8>>, usize);

impl Read for Trickle {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.1 += 1;
        let length = out.len().min(self.1);
        self.0.read(&mut out[..length])
    }
}

#[test]
fn standard_input_is_read_more_than_once() {
    let content = log(3000);
    let forms = [("plain", content.clone()), ("gzip", gzip(&content)), ("zstd", zstd(&content))];
    for (encoding, bytes) in forms {
        let inputs = Inputs::open_with_stdin(["-", "-"], Trickle(Cursor::new(bytes), 0));
        let first = scan(&inputs);
        assert_eq!((first.sources.len(), first.sources[0].source.as_str()), (1, "-"));
        assert_eq!((first.sources[0].encoding, first.total.entries), (encoding, 3000));
        assert_eq!(first.total.bytes, content.len() as u64);
        assert_eq!(scan(&inputs), first);
        assert_eq!(scan(&inputs), first);
    }
}

#[test]
fn damage_in_a_stream_is_met_again() {
    let bytes = gzip(&log(3000));
    let inputs = Inputs::open_with_stdin(["-"], Cursor::new(bytes[..bytes.len() / 2].to_vec()));
    let first = scan(&inputs);
    assert!(first.total.entries > 100 && first.problems[0].fatal);
    assert_eq!(scan(&inputs), first);
}

#[test]
fn a_fifo_is_a_stream_where_it_is_named() {
    let folder = Folder::new();
    let fifo = folder.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    folder.write("a.log", log(2));

    let in_folder = scan(&Inputs::open([folder.path("")]));
    assert_eq!(folder.entries(&in_folder), [("a.log".to_owned(), 2)]);
    assert!(in_folder.problems[0].message.contains("a FIFO") && !in_folder.problems[0].fatal);

    let inputs = Inputs::open([&fifo, &folder.path("a.log"), &fifo]);
    let writer = thread::spawn({
        let fifo = fifo.clone();
        move || fs::write(fifo, gzip(&log(1000)))
    });
    let first = scan(&inputs);
    writer.join().unwrap().unwrap();
    assert_eq!(folder.entries(&first), [("a.log".to_owned(), 2), ("fifo".to_owned(), 1000)]);
    assert_eq!(first.problems, []);
    assert_eq!(scan(&inputs), first);
}
