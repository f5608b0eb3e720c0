//! Import: records of a file become resources, chunk by chunk, each chunk all or nothing.
//!
//! **The problem.** An import of a million records is killed in the middle. Running it again must
//! neither lose nor repeat anything, and the server may keep nothing about the importer.
//!
//! **The choice.** Each chunk is one transaction (`PUT /-/transactions/{uuid}`), and its UUID is not
//! drawn but computed (version 5) from the chunk's own content and from that of every chunk before
//! it. A second run makes the same chunks, thus the same UUIDs, and the server answers the outcome
//! it recorded instead of writing again. Nothing has to be remembered on this side, the input may
//! come from a pipe, and a file that was mended after a bad line repeats what is already in.
//!
//! **Alternatives.** A bookmark file would have to be kept together with the data; a digest of the
//! whole file would change with its last line.

mod chunk;
mod delivery;
mod identity;
mod place;
mod progress;
mod records;
mod report;
mod source;

pub(crate) use self::{
    chunk::{CHUNK_OPERATIONS_MAX, Chunk, Operation},
    delivery::{Delivery, IfExists, OnError},
    identity::Identity,
    place::{Ids, Place},
    progress::Progress,
    records::{Fault, Record, Records},
    report::Report,
    source::{Format, Input, Reading},
};
