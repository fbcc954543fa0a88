//! All samples of a run, in rounds.

use crate::figure::Figure;
use crate::libraries::Entry;
use crate::row::{Row, Series};
use crate::sample;
use crate::workload::Workload;

/// What is measured, and how often.
pub(crate) struct Plan {
    pub(crate) workloads: Vec<Workload>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) rounds: usize,
}

impl Plan {
    /// Takes all samples.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let rows = self.workloads.iter().map(|workload| self.row(workload));
        rows.filter(|row| !row.series.is_empty()).collect()
    }

    /// About how long it takes, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        let parts = self.workloads.iter().flat_map(|workload| {
            let libraries = self.taking_part(workload).count() as f64;
            let figures = self.figures.iter().filter(|figure| figure.is_of(workload));
            figures.map(move |figure| {
                let rounds = figure.rounds(workload, self.rounds) as f64;
                rounds * libraries * figure.seconds(workload)
            })
        });
        parts.sum()
    }

    fn taking_part(&self, workload: &Workload) -> impl Iterator<Item = &Entry> {
        let entries = self.entries.iter();
        entries.filter(move |entry| entry.takes_part_in(workload))
    }

    fn row(&self, workload: &Workload) -> Row {
        eprintln!("{workload}");
        let entries: Vec<_> = self.taking_part(workload).collect();
        let mut row = Row {
            workload: *workload,
            series: entries.iter().map(|entry| Series::of(entry.name)).collect(),
        };
        for figure in self.figures.iter().filter(|figure| figure.is_of(workload)) {
            for round in 0..figure.rounds(workload, self.rounds) {
                add_round(*figure, round, &entries, &mut row);
            }
        }
        row
    }
}

/// Takes every library once, and begins with another one each time, so that none has the better
/// place.
fn add_round(figure: Figure, round: usize, entries: &[&Entry], row: &mut Row) {
    for turn in 0..entries.len() {
        let index = (round + turn) % entries.len();
        if !entries[index].has(figure) {
            continue;
        }
        let series = &mut row.series[index];
        match sample::take(figure, row.workload, entries[index]) {
            Ok(sample) => series.samples.push(sample),
            Err(error) => series.failures.push(format!("{}: {error}", figure.name())),
        }
    }
}
