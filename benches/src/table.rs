//! One Markdown table: some workloads, one quantity, all libraries that took part.

use std::fmt::Write;

use crate::libraries::Entry;
use crate::library::Standing;
use crate::measure::Summary;
use crate::quantity::Quantity;
use crate::row::Row;

pub(crate) struct Table<'a> {
    pub(crate) quantity: Quantity,
    pub(crate) rows: Vec<&'a Row>,
    /// Those that have a value in a row.
    entries: Vec<&'a Entry>,
}

impl<'a> Table<'a> {
    /// Of those `rows` that know the quantity; `None` where none does.
    pub(crate) fn of(
        quantity: Quantity,
        rows: impl Iterator<Item = &'a Row>,
        entries: &'a [Entry],
    ) -> Option<Self> {
        let rows: Vec<_> = rows.filter(|row| row.shows(quantity)).collect();
        let mut entries: Vec<_> = entries.iter().collect();
        entries.retain(|entry| {
            let mut values = rows.iter().map(|row| row.summary(entry.name, quantity));
            values.any(|value| value.is_some())
        });
        let table = Self {
            quantity,
            rows,
            entries,
        };
        (!table.rows.is_empty()).then_some(table)
    }

    pub(crate) fn title(&self) -> String {
        let row = self.rows.first();
        let unit = row.map_or("message", |row| row.workload.unit());
        format!("{} per {unit}", self.quantity.name())
    }

    pub(crate) fn entries(&self, standing: Standing) -> impl Iterator<Item = &'a Entry> {
        let all = self.entries.iter().copied();
        all.filter(move |entry| entry.standing == standing)
    }

    /// The name and the median of the best peer.
    pub(crate) fn best_peer(&self, row: &Row) -> Option<(&'static str, f64)> {
        self.entries(Standing::Peer)
            .filter_map(|entry| Some((entry.name, row.summary(entry.name, self.quantity)?.median)))
            .min_by(|(_, one), (_, other)| one.total_cmp(other))
    }

    /// An entry's median by that of the best peer.
    pub(crate) fn ratio(&self, row: &Row, entry: &Entry) -> Option<f64> {
        let (_, best) = self.best_peer(row)?;
        let own = row.summary(entry.name, self.quantity)?.median;
        (best > 0.0).then(|| own / best)
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from("| workload |");
        for entry in self.entries(Standing::Ours) {
            let _ = write!(text, " {} | ÷ best peer |", entry.name);
        }
        text += " best peer |";
        for entry in self.entries(Standing::Peer) {
            let _ = write!(text, " {} |", entry.name);
        }
        for entry in self.entries(Standing::Limit) {
            let _ = write!(text, " limit: {} |", entry.name);
        }
        let columns = text.matches('|').count() - 1;
        let _ = writeln!(text, "\n|{}", " --- |".repeat(columns));
        for row in &self.rows {
            text += &self.line(row);
        }
        text
    }

    fn line(&self, row: &Row) -> String {
        let cell = |entry: &Entry| cell(self.quantity, row.summary(entry.name, self.quantity));
        let mut text = format!("| {} |", row.workload);
        for entry in self.entries(Standing::Ours) {
            let ratio = self.ratio(row, entry);
            let ratio = ratio.map_or("–".to_owned(), |ratio| format!("**{ratio:.2}**"));
            let _ = write!(text, " {} | {ratio} |", cell(entry));
        }
        let best = self.best_peer(row).map_or("–", |(name, _)| name);
        let _ = write!(text, " {best} |");
        let peers = self.entries(Standing::Peer);
        for entry in peers.chain(self.entries(Standing::Limit)) {
            let _ = write!(text, " {} |", cell(entry));
        }
        text + "\n"
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
