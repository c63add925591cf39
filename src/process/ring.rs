//! First and last bytes of a stream, with an exact count of what fell out between them. Memory grows with what is
//! written, up to the bound; nothing is allocated for a silent command.

/// Keeps the first `head_max` and the last `tail_max` bytes.
#[derive(Debug)]
pub(crate) struct HeadTail {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Where the oldest byte of a full tail is.
    start: usize,
    head_max: usize,
    tail_max: usize,
    total: u64,
}

impl HeadTail {
    /// An empty buffer with these bounds in bytes.
    pub(crate) fn new(head_max: usize, tail_max: usize) -> Self {
        Self { head: Vec::new(), tail: Vec::new(), start: 0, head_max, tail_max, total: 0 }
    }

    /// Adds bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = (self.head_max - self.head.len()).min(bytes.len());
        let (first, rest) = bytes.split_at(room);
        self.head.extend_from_slice(first);
        if rest.len() >= self.tail_max {
            let (_, last) = rest.split_at(rest.len() - self.tail_max);
            self.tail.clear();
            self.tail.extend_from_slice(last);
            self.start = 0;
            return;
        }
        let (grow, wrap) = rest.split_at((self.tail_max - self.tail.len()).min(rest.len()));
        self.tail.extend_from_slice(grow);
        self.overwrite(wrap);
    }

    /// Writes over the oldest bytes of a full tail.
    fn overwrite(&mut self, bytes: &[u8]) {
        let (first, second) = bytes.split_at((self.tail.len() - self.start).min(bytes.len()));
        for part in [first, second] {
            if let Some(place) = self.tail.get_mut(self.start..self.start + part.len()) {
                place.copy_from_slice(part);
            }
            self.start = (self.start + part.len()) % self.tail.len().max(1);
        }
    }

    /// Bytes pushed since the buffer was made or cleared.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Bytes that are no longer here.
    pub(crate) fn omitted(&self) -> u64 {
        self.total - (self.head.len() + self.tail.len()) as u64
    }

    /// The first bytes.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// The last bytes, those of the head not among them.
    pub(crate) fn tail(&self) -> Vec<u8> {
        let (newer, older) = self.tail.split_at(self.start);
        [older, newer].concat()
    }

    /// Empties the buffer; its memory is given back.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.head_max, self.tail_max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_both_ends_however_it_is_cut() {
        let data: Vec<u8> = (0..=255u8).cycle().take(1000).collect();
        for step in [1, 3, 7, 16, 17, 64, 999, 1000] {
            for (head, tail) in [(0, 16), (16, 16), (100, 7), (16, 0), (2000, 5)] {
                let mut buffer = HeadTail::new(head, tail);
                for (count, chunk) in data.chunks(step).enumerate() {
                    buffer.push(chunk);
                    let so_far = data.get(..(count * step + chunk.len())).unwrap();
                    let first = so_far.get(..head.min(so_far.len())).unwrap();
                    let rest = so_far.get(first.len()..).unwrap();
                    let last = rest.get(rest.len().saturating_sub(tail)..).unwrap();
                    assert_eq!(buffer.head(), first);
                    assert_eq!(buffer.tail(), last, "step {step} head {head} tail {tail}");
                    assert_eq!(buffer.omitted() as usize, so_far.len() - first.len() - last.len());
                }
            }
        }
    }
}
