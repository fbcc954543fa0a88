//! Several addresses at once, and the first that stands wins (RFC 8305 §5).

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Instant;

use crate::connect::schedule::{Schedule, Start};
use crate::connect::{ConnectPhase, ConnectReport};
use crate::error::{AddressFailure, Error, FailedAddress};

/// Tries the addresses as the schedule says and gives the first connection that stands; the
/// attempts that are under way then are dropped. `Err` has all that failed, in that order.
pub(crate) async fn first_to_stand<T, F>(
    mut schedule: Schedule,
    connect: impl Fn(SocketAddr) -> F,
    report: &mut ConnectReport,
) -> Result<T, Vec<FailedAddress>>
where
    F: Future<Output = Result<T, AddressFailure>>,
{
    let mut runners = Vec::new();
    let mut failed = Vec::new();
    loop {
        if let Some(start) = schedule.begin(Instant::now()) {
            runners.push(Runner::new(start, connect(start.address)));
        }
        if runners.is_empty() {
            return Err(failed);
        }
        // When it is the next one's turn first, there is nothing to handle yet.
        let Some((runner, result)) = next_to_end(&mut runners, schedule.due()).await else {
            continue;
        };
        match result {
            Ok(connection) => {
                runner.note(report, None);
                give_up(&runners, runner.start.address, report);
                return Ok(connection);
            }
            Err(reason) => {
                runner.note(report, Some(&Error::attempt_failed(&reason)));
                schedule.failed(runner.start.number, Instant::now());
                failed.push(FailedAddress::new(runner.start.address, reason));
            }
        }
    }
}

/// An address that is being connected to.
struct Runner<F> {
    start: Start,
    began: Instant,
    connecting: Pin<Box<F>>,
}

impl<F> Runner<F> {
    fn new(start: Start, connecting: F) -> Self {
        Self {
            start,
            began: Instant::now(),
            connecting: Box::pin(connecting),
        }
    }

    fn note(&self, report: &mut ConnectReport, failure: Option<&Error>) {
        let subject = self.start.address.to_string();
        report.note(ConnectPhase::Connect, subject, self.began, failure);
    }
}

/// The next runner that ends, taken out, and what came of it; `None` when `due` comes first.
async fn next_to_end<F: Future>(
    runners: &mut Vec<Runner<F>>,
    due: Option<Instant>,
) -> Option<(Runner<F>, F::Output)> {
    let ended = poll_fn(|context| poll_all(runners, context));
    match due {
        Some(due) => tokio::time::timeout_at(due, ended).await.ok(),
        None => Some(ended.await),
    }
}

/// Polls them in the order of their start, so that of several that end at once the preferred one
/// is first.
fn poll_all<F: Future>(
    runners: &mut Vec<Runner<F>>,
    context: &mut Context<'_>,
) -> Poll<(Runner<F>, F::Output)> {
    let ended = runners.iter_mut().enumerate().find_map(|(index, runner)| {
        match runner.connecting.as_mut().poll(context) {
            Poll::Ready(result) => Some((index, result)),
            Poll::Pending => None,
        }
    });
    match ended {
        Some((index, result)) => Poll::Ready((runners.remove(index), result)),
        None => Poll::Pending,
    }
}

/// Takes note of those that another one was faster than.
fn give_up<F>(losers: &[Runner<F>], winner: SocketAddr, report: &mut ConnectReport) {
    for loser in losers {
        loser.note(report, Some(&Error::given_up_for(winner)));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;

    use super::*;
    use crate::connect::budget::Budget;
    use crate::connect::schedule::DELAY;
    use crate::timeout::{Timeout, Timeouts};

    const MILLISECOND: Duration = Duration::from_millis(1);
    const FOREVER: Duration = Duration::from_secs(3600);

    /// What an address does, and after how long.
    #[derive(Clone, Copy)]
    enum Will {
        Stand(Duration),
        Fail(Duration),
    }

    use Will::{Fail, Stand};

    /// How the race between addresses went: who began when, and how many were under way at its end.
    struct Raced {
        result: Result<u16, Vec<u16>>,
        began: Vec<(u16, Duration)>,
        took: Duration,
        report: ConnectReport,
        left_behind: usize,
    }

    /// An attempt that is under way for as long as it lives.
    struct UnderWay(Rc<RefCell<usize>>);

    impl UnderWay {
        fn new(count: &Rc<RefCell<usize>>) -> Self {
            *count.borrow_mut() += 1;
            Self(Rc::clone(count))
        }
    }

    impl Drop for UnderWay {
        fn drop(&mut self) {
            *self.0.borrow_mut() -= 1;
        }
    }

    async fn race(wills: &[Will]) -> Raced {
        let patient = Timeouts {
            connect: Duration::MAX,
            ..Timeouts::default()
        };
        race_within(wills, &patient).await
    }

    async fn race_within(wills: &[Will], timeouts: &Timeouts) -> Raced {
        let budget = &Budget::new(timeouts);
        let start = Instant::now();
        let (began, under_way) = (RefCell::default(), Rc::default());
        let began: &RefCell<Vec<(u16, Duration)>> = &began;
        let connect = |address: SocketAddr| {
            let (guard, will) = (
                UnderWay::new(&under_way),
                wills[usize::from(address.port()) - 1],
            );
            began.borrow_mut().push((address.port(), start.elapsed()));
            async move {
                let _guard = guard;
                let (Stand(after) | Fail(after)) = will;
                let waited = budget.within(Timeout::Connect, tokio::time::sleep(after));
                waited.await.ok_or(AddressFailure::TimedOut)?;
                match will {
                    Stand(_) => Ok(address.port()),
                    Fail(_) => Err(AddressFailure::TimedOut),
                }
            }
        };
        let addresses = (1..).take(wills.len());
        let addresses = addresses.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let schedule = Schedule::new(addresses.collect(), start, budget.end());
        let mut report = ConnectReport::new();
        let result = first_to_stand(schedule, connect, &mut report).await;
        let ports =
            |failed: Vec<FailedAddress>| failed.iter().map(|f| f.address().port()).collect();
        Raced {
            result: result.map_err(ports),
            began: began.take(),
            took: start.elapsed(),
            report,
            left_behind: *under_way.borrow(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_address_that_is_quick_is_alone() {
        let raced = race(&[Stand(DELAY - MILLISECOND), Stand(Duration::ZERO)]).await;
        assert_eq!(raced.result, Ok(1));
        assert_eq!(raced.began, [(1, Duration::ZERO)]);
        assert_eq!(raced.left_behind, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_costs_the_delay_and_is_given_up() {
        let raced = race(&[Stand(FOREVER), Stand(FOREVER), Stand(10 * MILLISECOND)]).await;
        assert_eq!(raced.result, Ok(3));
        let began = [(1, Duration::ZERO), (2, DELAY), (3, 2 * DELAY)];
        assert_eq!(raced.began, began);
        assert_eq!(raced.took, 2 * DELAY + 10 * MILLISECOND);
        assert_eq!(raced.left_behind, 0);
        let noted = raced.report.steps().iter();
        let noted: Vec<_> = noted.map(|step| (step.subject(), step.failure())).collect();
        let given_up = Some("given up: 127.0.0.1:3 was faster");
        let expected = [
            ("127.0.0.1:3", None),
            ("127.0.0.1:1", given_up),
            ("127.0.0.1:2", given_up),
        ];
        assert_eq!(noted, expected);
        assert_eq!(raced.report.steps()[1].took(), raced.took);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_address_may_still_win_after_others_have_begun() {
        let raced = race(&[Stand(2 * DELAY), Fail(MILLISECOND), Stand(FOREVER)]).await;
        assert_eq!(raced.result, Ok(1));
        assert_eq!(
            raced.began,
            [(1, Duration::ZERO), (2, DELAY), (3, DELAY + MILLISECOND)]
        );
        assert_eq!(raced.left_behind, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_that_stand_at_once_the_preferred_one_wins() {
        let raced = race(&[Stand(DELAY + MILLISECOND), Stand(MILLISECOND)]).await;
        assert_eq!(raced.result, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_that_refuse_follow_each_other_at_once() {
        let raced = race(&[Fail(MILLISECOND); 5]).await;
        assert_eq!(raced.result, Err(vec![1, 2, 3, 4, 5]));
        assert_eq!(raced.took, 5 * MILLISECOND);
        assert_eq!(raced.report.steps().len(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn all_are_awaited_before_the_race_is_lost() {
        let raced = race(&[Fail(FOREVER), Fail(MILLISECOND), Fail(MILLISECOND)]).await;
        assert_eq!(raced.result, Err(vec![2, 3, 1]));
        assert_eq!(raced.took, FOREVER);
    }

    #[tokio::test(start_paused = true)]
    async fn a_race_without_addresses_is_lost() {
        assert_eq!(race(&[]).await.result, Err(vec![]));
    }

    #[tokio::test(start_paused = true)]
    async fn each_address_has_its_own_time() {
        let timeouts = Timeouts {
            connect: Duration::from_secs(60),
            ..Timeouts::default()
        };
        let raced = race_within(&[Stand(FOREVER); 5], &timeouts).await;
        assert_eq!(raced.result, Err(vec![1, 2, 3, 4, 5]));
        assert_eq!(raced.took, timeouts.connect + 4 * DELAY);
        for step in raced.report.steps() {
            assert_eq!(step.took(), timeouts.connect, "{step}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn when_the_time_for_all_is_over_no_other_address_begins() {
        let overall = 2 * DELAY + 10 * MILLISECOND;
        let timeouts = Timeouts {
            overall: Some(overall),
            ..Timeouts::default()
        };
        let raced = race_within(&[Stand(FOREVER); 5], &timeouts).await;
        assert_eq!(raced.result, Err(vec![1, 2, 3]));
        assert_eq!(raced.took, overall);
    }
}
