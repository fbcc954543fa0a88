//! The Markdown tables, the charts, and the raw results as JSON.

use std::fmt::Write;
use std::path::PathBuf;

use serde::Serialize;

use crate::chart;
use crate::libraries::Entry;
use crate::library::Outcome;
use crate::machine::Machine;
use crate::quantity::Quantity;
use crate::row::Row;
use crate::table::Table;

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
    pub(crate) version: String,
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
        for group in self.groups() {
            for table in self.tables(group) {
                let title = table.title();
                let _ = write!(text, "\n### {group}: {title}\n\n{}", table.markdown());
            }
        }
        text + &self.failures()
    }

    /// The names of the workloads' groups.
    fn groups(&self) -> Vec<&'static str> {
        let mut groups: Vec<_> = self.rows.iter().map(|row| row.workload.group()).collect();
        groups.dedup();
        groups
    }

    fn tables(&self, group: &'static str) -> impl Iterator<Item = Table<'_>> {
        let rows = move || {
            let all = self.rows.iter();
            all.filter(move |row| row.workload.group() == group)
        };
        let quantities = Quantity::ALL.into_iter();
        quantities.filter_map(move |quantity| Table::of(quantity, rows(), &self.entries))
    }

    fn failures(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            for series in &row.series {
                let failed = format!("{} failed at {}", series.library, row.workload);
                let lines = series.failures.iter();
                text.extend(lines.map(|failure| format!("\n{failed}: {failure}\n")));
            }
        }
        text
    }

    /// Writes all forms below `results/`, and tells where.
    pub(crate) fn save(&self, name: &str) -> Outcome<PathBuf> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("results")
            .join(self.machine.slug());
        std::fs::create_dir_all(&folder)?;
        let raw = folder.join(format!("{name}.json"));
        std::fs::write(&raw, serde_json::to_string(self)? + "\n")?;
        std::fs::write(folder.join(format!("{name}.md")), self.markdown())?;
        for group in self.groups() {
            if let Some(table) = self.tables(group).next() {
                let path = folder.join(format!("{name}-{group}.svg"));
                std::fs::write(path, chart::svg(&table, group))?;
            }
        }
        Ok(raw)
    }
}
