//! Answers requests for metrics: as much of HTTP/1.1 as Prometheus and a kubelet speak, and no more.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::metrics::Source;

/// Bytes of a request's head.
const LONGEST: usize = 8 * 1024;
/// Bytes that are read of a request that is too long.
const MOST: u64 = 1024 * 1024;
/// One client is waited for no longer, as others wait for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: &'static str,
    pub(super) kind: &'static str,
    pub(super) body: String,
}

impl Response {
    pub(super) fn text(status: &'static str, body: impl Into<String>) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", body: body.into() }
    }
}

/// Listens, and answers from another thread for as long as the program runs.
pub(super) fn serve(address: SocketAddr, source: Source) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    log::info!(address:% = listener.local_addr()?; "serves /metrics and /healthz");
    thread::Builder::new().name("metrics".to_owned()).spawn(move || {
        for stream in listener.incoming() {
            let answered = stream.and_then(|stream| answer(stream, &source));
            if let Err(error) = answered {
                log::debug!(error:% = error; "a request for metrics was not answered");
            }
        }
    })?;
    Ok(())
}

fn answer(mut stream: TcpStream, source: &Source) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let head = head(&mut stream)?;
    let (response, with_body) = match head.as_deref().map(request) {
        None => (Response::text("431 Request Header Fields Too Large", "the request is too long\n"), true),
        Some(None) => (Response::text("400 Bad Request", "this is no request\n"), true),
        Some(Some((method @ ("GET" | "HEAD"), path))) => (source.at(path), method == "GET"),
        Some(Some(_)) => (Response::text("405 Method Not Allowed", "only GET and HEAD are answered\n"), true),
    };
    let Response { status, kind, body } = response;
    let length = body.len();
    let body = if with_body { body.as_str() } else { "" };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nAllow: GET, HEAD\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{body}"
    )?;
    if head.is_none() {
        // What was sent and is not read would have the system take back the answer.
        stream.shutdown(Shutdown::Write)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        io::copy(&mut stream.take(MOST), &mut io::sink())?;
    }
    Ok(())
}

/// What stands in front of the first empty line; `None` if it is too long.
fn head(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let deadline = Instant::now() + PATIENCE;
    let mut head = Vec::new();
    let mut block = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() >= LONGEST {
            return Ok(None);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        match stream.read(&mut block)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ if left.is_zero() => return Err(io::ErrorKind::TimedOut.into()),
            length => head.extend_from_slice(&block[..length]),
        }
    }
    Ok(Some(head))
}

/// Method and path of a request, without what follows a `?`.
fn request(head: &[u8]) -> Option<(&str, &str)> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let path = target.split('?').next()?;
    (version.starts_with("HTTP/1.") && words.next().is_none() && path.starts_with('/'))
        .then_some((method, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_a_method_and_a_path() {
        for (line, told) in [
            ("GET /metrics HTTP/1.1", Some(("GET", "/metrics"))),
            ("HEAD /healthz?x=1 HTTP/1.0", Some(("HEAD", "/healthz"))),
            ("POST / HTTP/1.1", Some(("POST", "/"))),
            ("GET /metrics", None),
            ("GET http://x/metrics HTTP/1.1", None),
            ("GET / HTTP/2", None),
            ("GET /a b HTTP/1.1", None),
            ("", None),
        ] {
            assert_eq!(request(format!("{line}\r\nHost: x\r\n\r\n").as_bytes()), told, "{line}");
        }
        assert_eq!(request(b"GET /\xff HTTP/1.1\r\n\r\n"), None);
    }
}
