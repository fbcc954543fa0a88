//! What the tasks that use a socket share, and how they wait for it.

use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use twinsock_proto::{Closed, Connection};

use crate::driver::engine::{Engine, Output, Wakes};
use crate::driver::wakers::{Missed, Waiter, WakerSet};

/// A socket's engine, and those who wait for it.
#[derive(Debug)]
pub(crate) struct Shared {
    engine: Mutex<Engine>,
    wakers: Arc<WakerSet>,
}

impl Shared {
    pub(super) fn new(engine: Engine, wakers: Arc<WakerSet>) -> Self {
        Self {
            engine: Mutex::new(engine),
            wakers,
        }
    }

    pub(crate) fn waiter(&self) -> Waiter {
        Waiter::new(Arc::clone(&self.wakers))
    }

    #[inline]
    pub(crate) fn with_engine<T>(&self, action: impl FnOnce(&mut Engine) -> T) -> T {
        action(&mut self.lock())
    }

    #[inline]
    fn lock(&self) -> Locked<'_> {
        Locked {
            engine: self.engine.lock().unwrap_or_else(PoisonError::into_inner),
            wakers: WhenUnlocked {
                wakes: Wakes::None,
                wakers: &self.wakers,
            },
        }
    }

    /// Looks at the connection; nothing happens to it.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Connection) -> T) -> T {
        self.with_engine(|engine| look(engine.connection()))
    }

    /// How the connection ended.
    pub(crate) fn closed(&self) -> Option<Closed> {
        self.look(|connection| connection.closed().cloned())
    }

    pub(crate) fn wait<T, F>(&self, poll: F) -> Wait<'_, F>
    where
        F: FnMut(&mut Engine) -> Poll<T>,
    {
        Wait {
            shared: self,
            waiter: None,
            poll,
        }
    }

    /// Polls, and registers `waiter` before it is final that there is something to wait for.
    pub(crate) fn poll<T>(
        &self,
        waiter: &mut Waiter,
        context: &mut Context<'_>,
        mut poll: impl FnMut(&mut Engine) -> Poll<T>,
    ) -> Poll<T> {
        let moment = self.wakers.moment();
        if let Poll::Ready(value) = self.with_engine(&mut poll) {
            return Poll::Ready(value);
        }
        match waiter.register(context.waker(), moment) {
            Missed::Nothing => Poll::Pending,
            Missed::AWakeUp => self.with_engine(poll),
        }
    }

    /// Sees to it that what is left is done though no caller waits for it.
    pub(crate) fn settle(self: &Arc<Self>, output: Output) {
        match output {
            Output::Settled => {}
            Output::NeedsAttendant => self.call_attendant(),
        }
    }

    /// Spawns the task that does what is left; outside of a runtime, does what can be done now.
    fn call_attendant(self: &Arc<Self>) {
        let attendant = Attendant(Some(Arc::clone(self)));
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(attendant.attend());
        }
    }
}

/// The engine while it is locked; who is to look again is woken when it is not any more, because
/// those who are woken look at this socket.
struct Locked<'a> {
    engine: MutexGuard<'a, Engine>,
    /// Dropped behind the guard.
    wakers: WhenUnlocked<'a>,
}

struct WhenUnlocked<'a> {
    wakes: Wakes,
    wakers: &'a WakerSet,
}

impl Deref for Locked<'_> {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }
}

impl Drop for Locked<'_> {
    #[inline]
    fn drop(&mut self) {
        self.wakers.wakes = self.engine.take_wakes();
    }
}

impl Drop for WhenUnlocked<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.wakes == Wakes::Due {
            self.wakers.wake_all();
        }
    }
}

/// The background task's hold on a socket, until its work is done.
struct Attendant(Option<Arc<Shared>>);

impl Attendant {
    async fn attend(mut self) {
        if let Some(shared) = &self.0 {
            shared.wait(Engine::poll_attend).await;
        }
        self.0 = None;
    }
}

impl Drop for Attendant {
    /// The runtime ends, or there is none: what can be written at once is.
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.with_engine(Engine::dismiss_attendant);
        }
    }
}

/// The background task's hold on a socket whose owner is gone, until the connection has ended.
pub(super) struct Farewell(pub(super) Arc<Shared>);

impl Farewell {
    pub(super) async fn say(self) {
        let _ = self.0.wait(Engine::poll_closed).await;
    }
}

impl Drop for Farewell {
    /// Said, or the runtime ends: then the connection does too, whoever looks at it still.
    fn drop(&mut self) {
        self.0.with_engine(Engine::abort_if_abandoned);
    }
}

/// Waits until a poll of the engine is ready.
#[derive(Debug)]
pub(crate) struct Wait<'a, F> {
    shared: &'a Shared,
    waiter: Option<Waiter>,
    poll: F,
}

impl<T, F: FnMut(&mut Engine) -> Poll<T> + Unpin> Future for Wait<'_, F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Self {
            shared,
            waiter,
            poll,
        } = &mut *self;
        let moment = shared.wakers.moment();
        if let Poll::Ready(value) = shared.with_engine(&mut *poll) {
            return Poll::Ready(value);
        }
        let waiter = waiter.get_or_insert_with(|| Waiter::new(Arc::clone(&shared.wakers)));
        match waiter.register(context.waker(), moment) {
            Missed::Nothing => Poll::Pending,
            Missed::AWakeUp => shared.with_engine(poll),
        }
    }
}
