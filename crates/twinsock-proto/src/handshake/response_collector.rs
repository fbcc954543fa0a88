//! Collects the response to a request that asks for another protocol, or for a tunnel.

use bytes::BytesMut;
use http::Response;
use http::StatusCode;

use super::client::refusal::{BodyState, Refusal, RefusalCollector, WantedStatus};
use super::error::HeadError;
use super::head::{Collected, HeadCollector, HeadLimits, StartLine};
use super::head_parser::{ResponseLines, read_response};
use super::received_head::ReceivedHead;

/// A response that is still arriving. Interim ones are skipped; a refusal is kept with the beginning of its body.
#[derive(Debug)]
pub(crate) struct ResponseCollector {
    wanted: WantedStatus,
    limits: HeadLimits,
    received: usize,
    interim_responses: usize,
    phase: Phase,
}

/// What one piece of input led to.
pub(crate) enum Progress<T> {
    Incomplete(ResponseCollector),
    Agreed(Agreement<T>),
}

/// The response that agreed, what it agreed to, and what came after it.
pub(crate) struct Agreement<T> {
    pub(crate) terms: T,
    pub(crate) response: ReceivedHead<Response<()>>,
    pub(crate) leftover: BytesMut,
}

/// Why no response agreed.
pub(crate) enum NoAgreement {
    Head(HeadError),
    EndOfStream { received: usize },
    Refused(Box<Refusal>),
    TooManyInterimResponses { limit: usize },
}

#[derive(Debug)]
enum Phase {
    Head(HeadCollector),
    /// The peer refused; the beginning of the body may say why.
    Body(RefusalCollector),
}

impl ResponseCollector {
    pub(crate) fn new(wanted: WantedStatus, limits: HeadLimits) -> Self {
        Self {
            wanted,
            limits,
            received: 0,
            interim_responses: 0,
            phase: Phase::Head(HeadCollector::new(StartLine::Status, limits)),
        }
    }

    /// Takes what the peer sent, in pieces of any size. `check` gives the terms of a response that agrees, and `None`
    /// for any other.
    pub(crate) fn proceed<T, E: From<HeadError> + From<NoAgreement>>(
        mut self,
        input: &[u8],
        check: impl Fn(&ResponseLines<'_>) -> Result<Option<T>, E>,
    ) -> Result<Progress<T>, E> {
        self.received = self.received.saturating_add(input.len());
        let mut rest = input;
        loop {
            let head = match &mut self.phase {
                Phase::Head(head) => head,
                Phase::Body(body) => {
                    return match body.feed(rest) {
                        BodyState::Open => Ok(Progress::Incomplete(self)),
                        BodyState::Complete => Err(self.handle_eof().into()),
                    };
                }
            };
            match head.feed(rest)? {
                Collected::Incomplete => return Ok(Progress::Incomplete(self)),
                Collected::Complete { rest: after } => rest = after,
            }
            let lines = (head.bytes(), head.header_count());
            match read_response(lines, |response| Answer::of(response, &check))? {
                Answer::Agreed(terms) => {
                    return Ok(Progress::Agreed(Agreement {
                        terms,
                        response: ReceivedHead::new(head.take_bytes()),
                        leftover: BytesMut::from(rest),
                    }));
                }
                Answer::Other(response) => self.phase = self.phase_after(response)?,
            }
        }
    }

    /// Takes note that the peer will send no more.
    pub(crate) fn handle_eof(self) -> NoAgreement {
        match self.phase {
            Phase::Body(body) => NoAgreement::Refused(Box::new(body.finish())),
            Phase::Head(head) => match head.foreign_beginning() {
                Some(error) => NoAgreement::Head(error),
                None => NoAgreement::EndOfStream {
                    received: self.received,
                },
            },
        }
    }

    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.phase, Phase::Body(_))
    }

    /// The refusal with as much of its body as came.
    pub(crate) fn into_refusal(self) -> Option<Box<Refusal>> {
        match self.phase {
            Phase::Body(body) => Some(Box::new(body.finish())),
            Phase::Head(_) => None,
        }
    }

    fn phase_after(&mut self, response: Response<()>) -> Result<Phase, NoAgreement> {
        let status = response.status();
        // RFC 9110 §15.2.2: after 101 comes another protocol, so it is final.
        if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(Phase::Body(RefusalCollector::new(self.wanted, response)));
        }
        // RFC 9110 §15.2: a client must be able to skip these, but an endless row of them would hold it for ever.
        if self.interim_responses == MAX_INTERIM_RESPONSES {
            return Err(NoAgreement::TooManyInterimResponses {
                limit: MAX_INTERIM_RESPONSES,
            });
        }
        self.interim_responses += 1;
        Ok(Phase::Head(HeadCollector::new(
            StartLine::Status,
            self.limits,
        )))
    }
}

/// What a response came to.
enum Answer<T> {
    Agreed(T),
    /// It did not agree, or not yet.
    Other(Response<()>),
}

impl<T> Answer<T> {
    fn of<E: From<HeadError>>(
        response: &ResponseLines<'_>,
        check: impl Fn(&ResponseLines<'_>) -> Result<Option<T>, E>,
    ) -> Result<Self, E> {
        match check(response)? {
            Some(terms) => Ok(Self::Agreed(terms)),
            None => Ok(Self::Other(response.to_response()?)),
        }
    }
}

const MAX_INTERIM_RESPONSES: usize = 8;
