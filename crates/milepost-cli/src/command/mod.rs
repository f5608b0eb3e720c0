//! The commands, one file each.

pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod copy;
pub(crate) mod delete;
pub(crate) mod demo;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod grant;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod patch;
pub(crate) mod put;
pub(crate) mod restore;
pub(crate) mod rules;
pub(crate) mod serve;
pub(crate) mod sync;
pub(crate) mod token;
pub(crate) mod version;
pub(crate) mod watch;
