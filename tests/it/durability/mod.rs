//! What is left when things go wrong at the wrong moment: a kill, a full disk, folders that cannot be written,
//! files that somebody scribbled on, a world that is not UTF-8.

mod disk;
mod kill;
mod odd;
mod scribble;
