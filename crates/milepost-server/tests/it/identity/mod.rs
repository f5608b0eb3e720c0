//! Who asks: tokens, their issuers' keys, what ends them, and what is said to whom.

mod answers;
mod epochs;
mod forms;
mod granting;
mod grants;
mod grants_narrowed;
mod grants_wrong;
mod keys;
mod stage;
mod tokens;
mod writes;
