//! Tab stops.

const INTERVAL: usize = 8;

/// Which columns have a tab stop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Tabs {
    stops: Vec<bool>,
}

impl Tabs {
    pub(crate) fn new(cols: usize) -> Self {
        let mut tabs = Self { stops: Vec::new() };
        tabs.resize(cols);
        tabs
    }

    pub(crate) fn from_stops(stops: Vec<bool>) -> Self {
        Self { stops }
    }

    pub(crate) fn stops(&self) -> &[bool] {
        &self.stops
    }

    /// New columns get a stop every eight.
    pub(crate) fn resize(&mut self, cols: usize) {
        let known = self.stops.len();
        self.stops.resize(cols, false);
        for (x, stop) in self.stops.iter_mut().enumerate().skip(known) {
            *stop = x % INTERVAL == 0;
        }
    }

    pub(crate) fn set(&mut self, x: usize, is_stop: bool) {
        self.stops[x] = is_stop;
    }

    pub(crate) fn clear(&mut self) {
        self.stops.fill(false);
    }

    /// The next stop right of `x`, or the last column.
    pub(crate) fn next(&self, x: usize) -> usize {
        let right = self.stops.iter().skip(x + 1).position(|&stop| stop);
        right.map_or(self.stops.len() - 1, |offset| x + 1 + offset)
    }

    /// The next stop left of `x`, or the first column.
    pub(crate) fn previous(&self, x: usize) -> usize {
        self.stops[..x].iter().rposition(|&stop| stop).unwrap_or(0)
    }
}
