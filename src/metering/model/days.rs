//! Usage by day: what calls and answers of models add up to, and the periods that are looked at. Pure.

use chrono::{Datelike, Days, Months, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use patchbay_shared::Money;

/// What calls and answers of models come to, in the words of the glossary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    pub calls: i64,
    pub ended: i64,
    pub answered: i64,
    pub failed: i64,
    pub goals: i64,
    /// Seconds of talk.
    pub seconds: i64,
    /// Characters that agents said.
    pub characters: i64,
    pub tokens: i64,
    pub voice: Money,
    pub carrier: Money,
    pub model: Money,
    /// Calls whose talk the provider has not priced yet: their cost is in no figure.
    pub unpriced: i64,
    /// Answers of which the models' service did not say the price: they are in no figure either.
    pub unpriced_answers: i64,
}

impl Sums {
    pub fn spend(&self) -> Money {
        Money(self.voice.0 + self.carrier.0 + self.model.0)
    }

    /// Talk minutes, to a tenth.
    pub fn minutes(&self) -> f64 {
        (self.seconds as f64 / 6.0).round() / 10.0
    }

    /// What a goal cost; none without one.
    pub fn per_goal(&self) -> Option<Money> {
        (self.goals > 0).then(|| Money((self.spend().0 / Decimal::from(self.goals)).round_dp(6)))
    }

    /// Nothing was called and nothing asked.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub fn add(&mut self, other: &Sums) {
        self.calls += other.calls;
        self.ended += other.ended;
        self.answered += other.answered;
        self.failed += other.failed;
        self.goals += other.goals;
        self.seconds += other.seconds;
        self.characters += other.characters;
        self.tokens += other.tokens;
        self.voice.0 += other.voice.0;
        self.carrier.0 += other.carrier.0;
        self.model.0 += other.model.0;
        self.unpriced += other.unpriced;
        self.unpriced_answers += other.unpriced_answers;
    }
}

patchbay_shared::words! {
    /// The periods that pages offer; another one is named by its days.
    pub Preset: "text" {
        Today = "today", "Today", Mute;
        Week = "7", "7 days", Mute;
        Month = "30", "30 days", Mute;
        Quarter = "90", "90 days", Mute;
        MonthToDate = "month", "This month", Mute;
    }
}

impl Preset {
    /// Its days, of which `today` is the last.
    pub fn period(self, today: NaiveDate) -> Period {
        match self {
            Self::Today => Period::ending(today, 1),
            Self::Week => Period::ending(today, 7),
            Self::Month => Period::ending(today, 30),
            Self::Quarter => Period::ending(today, 90),
            Self::MonthToDate => Period { first: today.with_day(1).unwrap_or(today), last: today },
        }
    }

    /// What its days are compared with: as many just before, or as much of the month before.
    pub fn before(self, today: NaiveDate) -> Period {
        let period = self.period(today);
        match self {
            Self::MonthToDate => {
                let back = |day: NaiveDate| day.checked_sub_months(Months::new(1)).unwrap_or(day);
                Period { first: back(period.first), last: back(period.last) }
            }
            _ => period.before(),
        }
    }
}

/// Days that are looked at together, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    #[serde(with = "patchbay_shared::day")]
    pub first: NaiveDate,
    #[serde(with = "patchbay_shared::day")]
    pub last: NaiveDate,
}

impl Period {
    /// Up to `last`, so many days.
    pub fn ending(last: NaiveDate, days: u64) -> Self {
        let first = last.checked_sub_days(Days::new(days.saturating_sub(1))).unwrap_or(last);
        Self { first, last }
    }

    /// How many days.
    pub fn len(&self) -> u64 {
        u64::try_from((self.last - self.first).num_days() + 1).unwrap_or_default()
    }

    pub fn is_empty(&self) -> bool {
        self.last < self.first
    }

    /// As many days just before.
    pub fn before(&self) -> Self {
        Self::ending(self.first.pred_opt().unwrap_or(self.first), self.len())
    }

    /// Every day, oldest first.
    pub fn days(&self) -> impl Iterator<Item = NaiveDate> + use<> {
        let last = self.last;
        self.first.iter_days().take_while(move |day| *day <= last)
    }

    /// `26 Sep – 20 Nov`, `20 Nov`; with years where they are not `now`'s.
    pub fn text(&self, now: NaiveDate) -> String {
        let word = |day: NaiveDate| {
            let with_year = self.first.year() != now.year() || self.last.year() != now.year();
            day.format(if with_year { "%-d %b %Y" } else { "%-d %b" }).to_string()
        };
        if self.first == self.last { word(self.first) } else { format!("{} – {}", word(self.first), word(self.last)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_period_before_has_as_many_days_and_ends_where_the_period_begins() {
        for (preset, days) in [(Preset::Today, 1), (Preset::Week, 7), (Preset::Month, 30), (Preset::Quarter, 90)] {
            let (period, before) = (preset.period(day("2026-03-31")), preset.before(day("2026-03-31")));
            assert_eq!((period.len(), before.len(), period.days().count() as u64), (days, days, days));
            assert_eq!(before.last.succ_opt(), Some(period.first));
        }
        let month = Preset::MonthToDate;
        assert_eq!(month.period(day("2026-03-31")), Period { first: day("2026-03-01"), last: day("2026-03-31") });
        assert_eq!(month.before(day("2026-03-31")), Period { first: day("2026-02-01"), last: day("2026-02-28") });
    }

    #[test]
    fn a_period_is_written_shortly() {
        let now = day("2026-11-20");
        assert_eq!(Period::ending(now, 1).text(now), "20 Nov");
        assert_eq!(Period { first: day("2026-09-26"), last: now }.text(now), "26 Sep – 20 Nov");
        assert_eq!(Period { first: day("2025-12-30"), last: day("2026-01-02") }.text(now), "30 Dec 2025 – 2 Jan 2026");
    }

    #[test]
    fn no_goal_has_no_price() {
        let sums = Sums { voice: Money(Decimal::ONE), ..Sums::default() };
        assert_eq!(sums.per_goal(), None);
        assert_eq!(Sums { goals: 3, ..sums }.per_goal().map(|cost| cost.0.to_string()), Some("0.333333".into()));
    }
}
