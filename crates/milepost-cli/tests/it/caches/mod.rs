//! Real caches between real followers and the real server: nginx and Varnish, with the configurations in
//! `deploy/`, and with the mistakes that others have.
//!
//! Both are Debian packages; `cargo xtask check` installs them. Where they are missing these tests fail: a
//! cache that was not tried is not known to work.

mod cache;
mod collapsing;
mod converging;
mod follower;
mod origin;
mod sharing;
mod stale;
mod variants;

/// The same tests for each cache.
macro_rules! with_each_cache {
    ($($name:ident)*) => {
        mod nginx {
            $(#[test]
            fn $name() {
                super::$name(crate::caches::cache::Kind::Nginx);
            })*
        }
        mod varnish {
            $(#[test]
            fn $name() {
                super::$name(crate::caches::cache::Kind::Varnish);
            })*
        }
    };
}
use with_each_cache;
