//! Cuts an input into several texts: at lines of three percent signs, else into equal parts.

/// `N` parts of the input.
pub fn split<const N: usize>(bytes: &[u8]) -> [&[u8]; N] {
    let text = b"\n%%%\n";
    let mut rest = bytes;
    std::array::from_fn(|i| {
        let cut = rest.windows(text.len()).position(|w| w == text);
        let (part, next) = match cut {
            _ if i + 1 == N => (rest, &[][..]),
            Some(at) => (&rest[..at], &rest[at + text.len()..]),
            None => rest.split_at(rest.len() / (N - i)),
        };
        rest = next;
        part
    })
}
