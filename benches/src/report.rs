//! The Markdown tables, and the raw results as JSON.

use std::fmt::Write;
use std::path::PathBuf;

use serde::Serialize;

use crate::libraries::Entry;
use crate::library::{Outcome, Standing};
use crate::machine::Machine;
use crate::measure::{Sample, Summary};
use crate::quantity::Quantity;
use crate::workload::Workload;

/// Every sample of one library on one workload.
#[derive(Clone, Serialize)]
pub(crate) struct Series {
    pub(crate) library: &'static str,
    pub(crate) samples: Vec<Sample>,
    /// Why there are no samples, or no more.
    pub(crate) failure: Option<String>,
}

/// One row: a workload and all that took part.
#[derive(Clone, Serialize)]
pub(crate) struct Row {
    #[serde(serialize_with = "as_name")]
    pub(crate) workload: Workload,
    pub(crate) series: Vec<Series>,
}

fn as_name<S: serde::Serializer>(workload: &Workload, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(workload)
}

impl Row {
    /// Whether a table of this quantity has this row.
    fn shows(&self, quantity: Quantity) -> bool {
        let is_told = quantity != Quantity::WallNanoseconds || self.workload.is_over_network();
        let mut samples = self.series.iter().flat_map(|series| &series.samples);
        is_told && samples.any(|sample| sample.get(quantity).is_some())
    }

    fn summary(&self, library: &str, quantity: Quantity) -> Option<Summary> {
        let series = self
            .series
            .iter()
            .find(|series| series.library == library)?;
        Summary::of(
            series
                .samples
                .iter()
                .filter_map(|sample| sample.get(quantity)),
        )
    }
}

/// All that one run found.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) rounds: usize,
    pub(crate) libraries: Vec<Version>,
    pub(crate) rows: Vec<Row>,
    #[serde(skip)]
    pub(crate) entries: Vec<Entry>,
}

#[derive(Serialize)]
pub(crate) struct Version {
    pub(crate) library: &'static str,
    pub(crate) version: &'static str,
}

impl Version {
    pub(crate) fn of(entry: &Entry) -> Self {
        Self {
            library: entry.name,
            version: entry.version(),
        }
    }
}

impl Report {
    /// The tables, with what is needed to read them.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("{}, {} rounds.\n", self.machine, self.rounds);
        let versions: Vec<_> = self
            .libraries
            .iter()
            .map(|version| format!("{} {}", version.library, version.version))
            .collect();
        let _ = writeln!(text, "{}.", versions.join(", "));
        let mut tables: Vec<&str> = self.rows.iter().map(|row| row.workload.table()).collect();
        tables.dedup();
        for table in tables {
            let rows: Vec<_> = self
                .rows
                .iter()
                .filter(|row| row.workload.table() == table)
                .collect();
            for quantity in Quantity::ALL {
                if rows.iter().any(|row| row.shows(quantity)) {
                    let _ = write!(text, "\n### {table}: {}\n\n", quantity.title());
                    text += &self.table(&rows, quantity);
                }
            }
        }
        text + &self.failures()
    }

    fn standing(&self, standing: Standing) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(move |entry| entry.standing == standing)
    }

    fn table(&self, rows: &[&Row], quantity: Quantity) -> String {
        let mut text = String::from("| workload |");
        for entry in self.standing(Standing::Ours) {
            let _ = write!(text, " {} | ÷ best peer |", entry.name);
        }
        text += " best peer |";
        for entry in self.standing(Standing::Peer) {
            let _ = write!(text, " {} |", entry.name);
        }
        for entry in self.standing(Standing::Limit) {
            let _ = write!(text, " limit: {} |", entry.name);
        }
        let columns = text.matches('|').count() - 1;
        let _ = writeln!(text, "\n|{}", " --- |".repeat(columns));
        for row in rows {
            text += &self.line(row, quantity);
        }
        text
    }

    fn line(&self, row: &Row, quantity: Quantity) -> String {
        let summary = |entry: &Entry| row.summary(entry.name, quantity);
        let best = self
            .standing(Standing::Peer)
            .filter_map(|entry| Some((entry.name, summary(entry)?.median)))
            .min_by(|(_, one), (_, other)| one.total_cmp(other));
        let mut text = format!("| {} |", row.workload);
        for entry in self.standing(Standing::Ours) {
            let found = summary(entry);
            let ratio = found
                .zip(best)
                .map(|(found, (_, best))| found.median / best);
            let ratio = ratio.map_or("–".to_owned(), |ratio| format!("**{ratio:.2}**"));
            let _ = write!(text, " {} | {ratio} |", cell(quantity, found));
        }
        let _ = write!(text, " {} |", best.map_or("–", |(name, _)| name));
        let others = self
            .standing(Standing::Peer)
            .chain(self.standing(Standing::Limit));
        for entry in others {
            let _ = write!(text, " {} |", cell(quantity, summary(entry)));
        }
        text + "\n"
    }

    fn failures(&self) -> String {
        let all = self
            .rows
            .iter()
            .flat_map(|row| row.series.iter().map(move |series| (row, series)));
        let mut text = String::new();
        for (row, series) in all {
            let Some(failure) = &series.failure else {
                continue;
            };
            let name = series.library;
            let _ = write!(text, "\n{name} failed at {}: {failure}\n", row.workload);
        }
        text
    }

    /// Writes both forms below `results/`, and tells where.
    pub(crate) fn save(&self, name: &str) -> Outcome<PathBuf> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("results")
            .join(self.machine.slug());
        std::fs::create_dir_all(&folder)?;
        let raw = folder.join(format!("{name}.json"));
        std::fs::write(&raw, serde_json::to_string(self)? + "\n")?;
        std::fs::write(folder.join(format!("{name}.md")), self.markdown())?;
        Ok(raw)
    }
}

/// The median, and how far the rounds lie apart.
fn cell(quantity: Quantity, summary: Option<Summary>) -> String {
    let Some(Summary { median, spread }) = summary else {
        return "–".to_owned();
    };
    let text = quantity.text(median);
    match spread {
        Some(spread) => format!("{text} ±{:.0} %", spread * 50.0),
        None => text,
    }
}
