//! How the process takes memory from the operating system.

/// Has memory given out in pages of 4 KiB from here on, on Linux.
///
/// An open wait is a few buffers of which little is used. In huge pages all of it would be resident: 26
/// instead of 19 KiB for each of 10,000. What a page less would cost a server is not seen in its speed.
pub(super) fn take_small_pages() {
    #[cfg(target_os = "linux")]
    // Where the kernel doesn't know this, more memory is used, and all else is the same.
    let _unknown = rustix::thread::disable_transparent_huge_pages(true);
}
