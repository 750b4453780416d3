/// The numbers that stood in a file so far. A file of a gigabyte may have twenty million, so each takes some four bytes rather than
/// some sixteen: numbers are spread evenly over many short sorted lists, and what the place of a list says of a number is not kept.
pub(super) struct Numbers {
    lists: Vec<Vec<u32>>,
}

/// E.164 has fifteen digits at most, which is less than 2^50.
const BITS: u32 = 50;
const LISTS: u32 = BITS - 32;

impl Default for Numbers {
    fn default() -> Self {
        Self { lists: vec![Vec::new(); 1 << LISTS] }
    }
}

impl Numbers {
    /// False: it was there already. `number` is below 2^50.
    pub fn insert(&mut self, number: u64) -> bool {
        // Both steps can be undone, so no two numbers become one: an odd factor, and a shift of the upper half into the lower.
        let mask = (1_u64 << BITS) - 1;
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) & mask;
        let mixed = (mixed ^ (mixed >> (BITS / 2))).wrapping_mul(0xD6E8_FEB8_6659_FD93) & mask;
        let list = &mut self.lists[(mixed >> 32) as usize];
        let Err(place) = list.binary_search(&(mixed as u32)) else { return false };
        if list.len() == list.capacity() {
            // A quarter more, not twice as much.
            list.reserve_exact(4 + list.len() / 4);
        }
        list.insert(place, mixed as u32);
        true
    }

    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.lists.iter().map(|list| 24 + 4 * list.capacity()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_counts_once_and_takes_little_room() {
        let mut numbers = Numbers::default();
        let spread = |at: u64| 41_790_000_000 + at * 7 % 9_999_991 + (at % 10) * 100_000_000_000;
        let mut known = std::collections::HashSet::new();
        for at in 0..400_000 {
            let number = spread(at);
            assert_eq!(numbers.insert(number), known.insert(number), "{number}");
        }
        assert!((0..400_000).all(|at| !numbers.insert(spread(at))));
        assert!(numbers.insert(999_999_999_999_999) && !numbers.insert(999_999_999_999_999));
        assert!(numbers.bytes() < (24 << LISTS) + 400_000 * 24, "{}", numbers.bytes());
    }
}
