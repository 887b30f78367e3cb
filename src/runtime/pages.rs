//! Memory for Argon2, straight from the operating system: in huge pages where it has them, left out of
//! core dumps, wiped before it is anybody else's.

#![allow(unsafe_code, reason = "mapping memory is a call to the operating system")]
#![warn(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

use crate::password::Block;

pub(super) use imp::Region;

/// The bytes of `blocks` blocks; `None` for none, and for what no slice can hold (on 32 bits that is less
/// than a budget may be).
fn len_of(blocks: usize) -> Option<usize> {
    blocks.checked_mul(Block::SIZE).filter(|&len| len > 0 && isize::try_from(len).is_ok())
}

#[cfg(unix)]
mod imp {
    use core::ptr::{self, NonNull};
    use core::slice;

    use super::{Block, len_of};

    /// What a huge page is on x86-64 and, with 4 KiB pages, on aarch64.
    const HUGE_PAGE: usize = 2 * 1024 * 1024;

    /// Blocks of memory that nobody else has.
    #[derive(Debug)]
    pub(in crate::runtime) struct Region {
        // INVARIANT: `blocks` blocks from `start` on are mapped, readable and writable, and ours alone.
        start: NonNull<Block>,
        blocks: usize,
    }

    // SAFETY: the region owns its memory; nothing in it belongs to a thread.
    unsafe impl Send for Region {}

    impl Region {
        /// Maps `blocks` blocks of zeros; `None` if the system has no more.
        pub(in crate::runtime) fn map(blocks: usize) -> Option<Self> {
            let len = len_of(blocks)?;
            if len < HUGE_PAGE {
                let start = reserve(len)?;
                advise(start, len);
                return Some(Self { start: start.cast(), blocks });
            }
            // The system gives an address of its choice: ask for a huge page more, and give back what
            // lies before the first aligned address and behind the region.
            let reserved_len = len.checked_add(HUGE_PAGE).filter(|&len| isize::try_from(len).is_ok())?;
            let reserved = reserve(reserved_len)?;
            let head = reserved.align_offset(HUGE_PAGE);
            // SAFETY: `head` is less than `HUGE_PAGE`, so it and `head + len` lie within the reservation.
            let (start, end) = unsafe { (reserved.add(head), reserved.add(head).add(len)) };
            let end = page_end(end);
            // SAFETY: the two parts lie within the reservation and outside the region, on page
            // boundaries; nothing points to them.
            unsafe {
                unmap(reserved, head);
                unmap(
                    end,
                    reserved_len.saturating_sub(end.addr().get().saturating_sub(reserved.addr().get())),
                );
            }
            advise(start, len);
            Some(Self { start: start.cast(), blocks })
        }

        pub(in crate::runtime) fn kib(&self) -> u32 {
            u32::try_from(self.blocks).unwrap_or(u32::MAX)
        }

        pub(in crate::runtime) fn as_mut_slice(&mut self) -> &mut [Block] {
            // SAFETY: mapped and ours alone by the invariant; pages are aligned beyond what a block
            // wants, and any bytes are a block.
            unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.blocks) }
        }

        /// Fills the region with zeros.
        pub(in crate::runtime) fn wipe(&mut self) {
            // SAFETY: mapped and ours alone by the invariant; zeros are a block.
            unsafe { ptr::write_bytes(self.start.as_ptr(), 0, self.blocks) };
            // The compiler may not assume that nobody looks.
            core::hint::black_box(self.start);
        }
    }

    impl Drop for Region {
        fn drop(&mut self) {
            // SAFETY: mapped by the invariant, and never used again.
            unsafe { unmap(self.start.cast(), self.blocks.saturating_mul(Block::SIZE)) };
        }
    }

    fn reserve(len: usize) -> Option<NonNull<u8>> {
        // SAFETY: a new private mapping at an address of the system's choice touches nothing.
        let address = unsafe {
            libc::mmap(
                ptr::null_mut(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if address == libc::MAP_FAILED { None } else { NonNull::new(address.cast()) }
    }

    /// # Safety
    /// `len` bytes from `start` on, up to a page boundary, are mapped, and nothing points there.
    unsafe fn unmap(start: NonNull<u8>, len: usize) {
        if len > 0 {
            // SAFETY: the caller's promise. That it fails is no danger, only a leak.
            unsafe { libc::munmap(start.as_ptr().cast(), len) };
        }
    }

    /// The next page boundary.
    fn page_end(address: NonNull<u8>) -> NonNull<u8> {
        // SAFETY: asks for a constant.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let page = usize::try_from(page).unwrap_or(HUGE_PAGE);
        let gap = address.align_offset(page);
        // SAFETY: a reservation ends on a page boundary, so the next one is still within.
        unsafe { address.add(gap) }
    }

    /// Wishes that the system may ignore.
    fn advise(start: NonNull<u8>, len: usize) {
        #[cfg(target_os = "linux")]
        for advice in [libc::MADV_HUGEPAGE, libc::MADV_DONTDUMP, libc::MADV_WIPEONFORK] {
            // SAFETY: these change how the mapping is backed, dumped and inherited, not what it holds.
            unsafe { libc::madvise(start.as_ptr().cast(), len, advice) };
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (start, len);
    }
}

#[cfg(not(unix))]
mod imp {
    use alloc::vec::Vec;

    use super::Block;

    /// Blocks of memory from the allocator.
    #[derive(Debug)]
    pub(in crate::runtime) struct Region(Vec<Block>);

    impl Region {
        pub(in crate::runtime) fn map(blocks: usize) -> Option<Self> {
            let mut memory = Vec::new();
            memory.try_reserve_exact(blocks).ok().filter(|()| blocks > 0)?;
            memory.resize(blocks, Block::new());
            Some(Self(memory))
        }

        pub(in crate::runtime) fn kib(&self) -> u32 {
            u32::try_from(self.0.len()).unwrap_or(u32::MAX)
        }

        pub(in crate::runtime) fn as_mut_slice(&mut self) -> &mut [Block] {
            &mut self.0
        }

        pub(in crate::runtime) fn wipe(&mut self) {
            self.0.fill(Block::new());
            core::hint::black_box(self.0.as_ptr());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_zeros_and_can_be_filled_and_wiped() {
        for blocks in [1, 3, 2047, 2048, 2049, 5000] {
            let mut region = Region::map(blocks).unwrap();
            assert_eq!(usize::try_from(region.kib()), Ok(blocks));
            let is_zero =
                |memory: &[Block]| memory.iter().all(|block| block.as_ref().iter().all(|&word| word == 0));
            assert!(is_zero(region.as_mut_slice()));
            region.as_mut_slice().iter_mut().for_each(|block| block.as_mut().fill(u64::MAX));
            region.wipe();
            assert!(is_zero(region.as_mut_slice()));
        }
    }

    #[test]
    fn what_cannot_be_had_is_none() {
        assert!(Region::map(0).is_none());
        assert!(Region::map(usize::MAX).is_none());
        assert!(Region::map(usize::MAX / Block::SIZE).is_none());
    }

    #[test]
    fn no_region_is_longer_than_a_slice_may_be() {
        let most = isize::MAX.unsigned_abs() / Block::SIZE;
        assert_eq!(len_of(most), Some(most * Block::SIZE));
        assert_eq!(len_of(most + 1), None);
        assert_eq!(len_of(usize::MAX), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_region_is_what_was_asked_for_on_a_huge_page_and_left_out_of_dumps() {
        // 3 MiB and a page: nothing of the reservation around it may stay.
        let blocks = 3 * 1024 + 4;
        let mut region = Region::map(blocks).unwrap();
        let start = region.as_mut_slice().as_ptr() as usize;
        assert_eq!(start % (2 * 1024 * 1024), 0);
        assert_eq!(of_mapping(start, "Size"), std::format!("{blocks} kB"));
        assert_is_left_out(start);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_region_under_a_huge_page_is_left_out_of_dumps_too() {
        let mut region = Region::map(64).unwrap();
        assert_is_left_out(region.as_mut_slice().as_ptr() as usize);
    }

    #[cfg(target_os = "linux")]
    fn assert_is_left_out(start: usize) {
        let flags = of_mapping(start, "VmFlags");
        for flag in ["dd", "wf"] {
            assert!(flags.split(' ').any(|found| found == flag), "{flag} in {flags}");
        }
    }

    /// What the system says of the mapping that holds `address`.
    #[cfg(target_os = "linux")]
    fn of_mapping(address: usize, field: &str) -> alloc::string::String {
        let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let hex = |text: &str| usize::from_str_radix(text, 16).unwrap_or(0);
        let holds = |line: &str| {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            range.is_some_and(|(start, end)| (hex(start)..hex(end)).contains(&address))
        };
        let mut lines = smaps.lines().skip_while(|line| !holds(line));
        let line = lines.find(|line| line.starts_with(field)).unwrap();
        line.split_once(':').unwrap().1.trim().into()
    }
}
