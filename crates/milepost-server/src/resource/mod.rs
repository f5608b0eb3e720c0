//! One resource: reading it, and the writes that name it.

mod document;
mod read;
mod write;

pub(crate) use self::{
    document::{document, parse, parsed},
    read::read,
    write::{delete, patch, put, write},
};
