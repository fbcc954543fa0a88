//! How far the work is, on standard error, if a person is watching.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{BinaryBytes, DecimalBytes, ProgressBar, ProgressState, ProgressStyle};

/// How often it is drawn.
const INTERVAL: Duration = Duration::from_millis(100);

/// A line that tells what is being done.
#[derive(Debug)]
pub(crate) struct Step(Option<ProgressBar>);

impl Step {
    pub(crate) fn new() -> Self {
        Self(is_watched().then(|| ProgressBar::new_spinner().with_style(style("{msg}"))))
    }

    pub(crate) fn show(&self, step: &str) {
        if let Some(bar) = &self.0 {
            bar.reset();
            bar.set_message(step.to_owned());
            bar.tick();
        }
    }

    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// How many bytes went which way.
#[derive(Debug, Default)]
struct Counters {
    sent: AtomicU64,
    received: AtomicU64,
}

/// A line that tells how many bytes were sent and received, how fast, and in what time.
#[derive(Clone, Debug)]
pub(crate) struct Transfer {
    counters: Arc<Counters>,
    bar: Option<ProgressBar>,
}

impl Transfer {
    /// For a transfer whose size nobody knows. It is not shown where the bytes themselves are.
    pub(crate) fn without_total() -> Self {
        let is_shown = is_watched() && !io::stdout().is_terminal();
        Self::new(is_shown.then(ProgressBar::new_spinner), AMOUNTS)
    }

    pub(crate) fn of(total: u64) -> Self {
        let bar = is_watched().then(|| ProgressBar::new(total));
        Self::new(bar, &format!("[{{bar:20}}] {AMOUNTS}"))
    }

    fn new(bar: Option<ProgressBar>, template: &str) -> Self {
        let counters = Arc::new(Counters::default());
        let bar = bar.map(|bar| {
            let bar = bar.with_style(with_amounts(style(template), &counters));
            bar.enable_steady_tick(INTERVAL);
            bar
        });
        Self { counters, bar }
    }

    pub(crate) fn add_sent(&self, count: usize) {
        self.counters
            .sent
            .fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn add_received(&self, count: usize) {
        self.counters
            .received
            .fetch_add(count as u64, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.inc(count as u64);
        }
    }

    pub(crate) fn sent(&self) -> u64 {
        self.counters.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn received(&self) -> u64 {
        self.counters.received.load(Ordering::Relaxed)
    }

    /// Draws no more, and leaves what is there.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.abandon();
        }
    }

    /// Draws no more, and removes what is there.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn is_watched() -> bool {
    io::stderr().is_terminal()
}

const AMOUNTS: &str = "sent {sent}, received {received}, {rate}/s, {elapsed_precise}";

fn with_amounts(style: ProgressStyle, counters: &Arc<Counters>) -> ProgressStyle {
    let [sent, received, both] = [(); 3].map(|()| Arc::clone(counters));
    style
        .with_key(
            "sent",
            move |_: &ProgressState, out: &mut dyn fmt::Write| {
                let _ = write!(out, "{}", BinaryBytes(sent.sent.load(Ordering::Relaxed)));
            },
        )
        .with_key(
            "received",
            move |_: &ProgressState, out: &mut dyn fmt::Write| {
                let received = received.received.load(Ordering::Relaxed);
                let _ = write!(out, "{}", BinaryBytes(received));
            },
        )
        .with_key(
            "rate",
            move |state: &ProgressState, out: &mut dyn fmt::Write| {
                let sent = both.sent.load(Ordering::Relaxed);
                let received = both.received.load(Ordering::Relaxed);
                let _ = write!(
                    out,
                    "{}",
                    DecimalBytes(per_second(sent.max(received), state.elapsed()))
                );
            },
        )
}

fn per_second(bytes: u64, elapsed: Duration) -> u64 {
    let milliseconds = elapsed.as_millis().max(1);
    u64::try_from(u128::from(bytes) * 1000 / milliseconds).unwrap_or(u64::MAX)
}

/// A template that cannot be used shows the default.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_can_be_used() {
        for template in ["{msg}", AMOUNTS, &format!("[{{bar:20}}] {AMOUNTS}")] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn a_rate_is_that_of_the_whole_time() {
        assert_eq!(per_second(3000, Duration::from_millis(1500)), 2000);
        assert_eq!(per_second(7, Duration::ZERO), 7000);
    }
}
