//! What signals do.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use super::state::State;

/// Those that end the program.
const ENDING: [i32; 2] = [SIGINT, SIGTERM];
/// What a shell adds to the number of the signal that ended a program.
const SIGNALLED: i32 = 128;

/// Has the first signal tell everything to stop, and the second one end the program at once.
pub(super) fn heed(state: Arc<State>) -> io::Result<()> {
    let told = Arc::new(AtomicBool::new(false));
    for signal in ENDING {
        // In this order: the first one finds the flag unset.
        flag::register_conditional_shutdown(signal, SIGNALLED + signal, Arc::clone(&told))?;
        flag::register(signal, Arc::clone(&told))?;
    }
    let mut signals = Signals::new(ENDING)?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            log::info!(signal = signal; "ends after the batch at hand; another signal ends it at once");
            state.stop().tell();
        }
    })?;
    Ok(())
}
