//! The client's opening handshake over a byte stream (RFC 6455 §4.1).

use twinsock_proto::handshake::HeadLimits;
use twinsock_proto::handshake::client::{self, AwaitResponse, Request, Step};

use crate::connect::budget::Budget;
use crate::connect::negotiate::{Negotiation, Progress, negotiate};
use crate::driver::ByteStream;
use crate::error::Error;
use crate::opening::{Head, Opened, Opening};
use crate::timeout::Timeout;
use crate::tls::fill_with_randomness;

pub(crate) async fn open(
    mut stream: Box<dyn ByteStream>,
    request: Request,
    budget: &Budget,
) -> Result<Opened, Error> {
    let deadline = budget.deadline(Timeout::Handshake);
    let mut nonce = [0; 16];
    fill_with_randomness(&mut nonce)?;
    let start = AwaitResponse::start(request, nonce, HeadLimits::default());
    let opened = negotiate(&mut stream, start, deadline).await?;
    let deflate = opened.deflate();
    let (response, protocol, leftover) = opened.into_parts();
    let opening = Opening {
        deflate,
        ..Opening::new(Head::FromServer(response), protocol)
    };
    Ok(Opened {
        stream,
        opening,
        leftover,
    })
}

impl Negotiation for AwaitResponse {
    type Agreed = client::Opened;

    fn proceed(self, input: &[u8]) -> Result<Progress<Self>, Error> {
        Ok(match self.proceed(input)? {
            Step::Incomplete(negotiation) => Progress::Incomplete(negotiation),
            Step::Opened(opened) => Progress::Agreed(opened),
        })
    }

    fn handle_eof(self) -> Error {
        self.handle_eof().into()
    }

    fn is_refused(&self) -> bool {
        self.is_refused()
    }
}
