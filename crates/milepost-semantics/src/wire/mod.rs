//! The documents on the wire: pages and transactions (protocol §§4, 6, 8).
//!
//! Only here are values written as JSON for clients, and every shape has a golden fixture in
//! `fixtures/` that the service's tests and the clients' tests read alike. Definitions and the
//! service document are not here: they belong to who gives them their meaning.

mod page;
mod page_writer;
mod text;
mod transaction;
mod transaction_parse;

pub use page::{ListPage, PageEnd, PageItem, PageKind};
pub use page_writer::{PageTail, PageWriter};
pub use transaction::{
    OperationFailure, OperationKind, OperationResult, PatchFormat, TransactionDocument,
    TransactionOperation, TransactionOutcome,
};
