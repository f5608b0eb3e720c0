//! A bank that mounts Milepost and adds one rule of its own, and an accountant who follows it.
//!
//! Read in this order:
//!
//! | | |
//! |---|---|
//! | [`order`] | what a client asks for, and what is wrong with it by itself |
//! | [`rule`] | what it makes of two accounts, or why it may not be: a pure function |
//! | [`transfer`] | one transaction with preconditions, begun anew when somebody was faster, safe to repeat |
//! | [`application`] | the route `POST /v1/transfers` in front of Milepost, which serves all the rest |
//! | [`books`] | a copy of every entry that is kept up to date by a link, and reconciled to the cent |
//! | [`story`] | all of it at once, with servers that are killed in the middle |
//!
//! What is kept is declared in `definitions/`. No clock, lock, session or idempotency key is anywhere.

pub mod account;
pub mod accountant;
pub mod application;
pub mod books;
pub mod founding;
pub mod ledger;
pub mod money;
pub mod order;
pub mod reading;
pub mod rule;
pub mod say;
pub mod serve;
pub mod story;
pub mod transfer;
