//! Finds all that is wrong with a server's certificate, not only the first of it.

use rustls::RootCertStore;
use rustls::pki_types::{
    CertificateDer, ServerName, SignatureVerificationAlgorithm, TrustAnchor, UnixTime,
};
use webpki::{
    CertRevocationList, EndEntityCert, Error, ExpirationPolicy, ExtendedKeyUsageValidator,
    KeyPurposeIdIter, KeyUsage, RevocationOptionsBuilder, anchor_from_trusted_cert,
};

use crate::tls::certificate_error::CertificateError;
use crate::tls::findings::{Cause, Findings, of_webpki};
use crate::tls::provider::provider;

/// What a server has shown, for which name, and when.
#[derive(Clone, Copy)]
pub(super) struct Presented<'a> {
    pub(super) leaf: &'a CertificateDer<'a>,
    pub(super) intermediates: &'a [CertificateDer<'a>],
    pub(super) name: &'a ServerName<'a>,
    pub(super) now: UnixTime,
    pub(super) ocsp_response: &'a [u8],
}

/// Who is trusted, and what was revoked.
#[derive(Debug)]
pub(super) struct Anchors {
    pub(super) roots: RootCertStore,
    pub(super) revocation_lists: Vec<CertRevocationList<'static>>,
}

/// How often the chain is looked at: once for each error that can be looked behind, and some more
/// for dates of several certificates.
const MOST_LOOKS: usize = 10;

/// Finds what is wrong: nothing, when the chain leads to a root at the first look.
///
/// Behind each error that may be ignored the chain is looked at again with that error out of the
/// way: at a time that is within its dates, without its usage, from its own end. What cannot be
/// looked behind is never ignorable, or comes with an error that is not.
pub(super) fn examine(presented: &Presented<'_>, anchors: &Anchors) -> Findings {
    let mut findings = Findings::default();
    let leaf = match EndEntityCert::try_from(presented.leaf) {
        Ok(leaf) => leaf,
        Err(error) => {
            findings.note(error);
            return findings;
        }
    };
    if let Err(error) = leaf.verify_is_valid_for_subject_name(presented.name) {
        findings.note(error);
    }
    let mut search = Search::new(presented, anchors, &leaf);
    for _ in 0..MOST_LOOKS {
        match search.look() {
            Ok(()) => return search.end(findings),
            Err(error) => match search.look_behind(error, &mut findings) {
                Step::Again => {}
                Step::Done => return search.end(findings),
            },
        }
    }
    let cause = "there is no time at which all of its chain is valid";
    findings.add(CertificateError::OtherErrors, Cause::Own(cause));
    search.end(findings)
}

impl Findings {
    fn note(&mut self, error: Error) {
        self.add(of_webpki(&error), Cause::Webpki(error));
    }
}

/// How the chain is looked at next.
struct Search<'a> {
    presented: &'a Presented<'a>,
    anchors: &'a Anchors,
    leaf: &'a EndEntityCert<'a>,
    algorithms: &'static [&'static dyn SignatureVerificationAlgorithm],
    time: UnixTime,
    usage: Usage,
    from: From<'a>,
    revocation: Revocation,
}

/// Where chains may end.
enum From<'a> {
    Roots,
    /// In the last certificate that the server has shown.
    ItsEnd(TrustAnchor<'a>),
}

#[derive(PartialEq)]
enum Revocation {
    Checked,
    /// Its error was found.
    Unchecked,
}

enum Step {
    Again,
    Done,
}

/// The uses that a certificate may be for.
#[derive(Clone, Copy)]
enum Usage {
    Server,
    Any,
}

impl ExtendedKeyUsageValidator for Usage {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        match self {
            Self::Server => KeyUsage::server_auth().validate(purposes),
            Self::Any => Ok(()),
        }
    }
}

impl<'a> Search<'a> {
    fn new(
        presented: &'a Presented<'a>,
        anchors: &'a Anchors,
        leaf: &'a EndEntityCert<'a>,
    ) -> Self {
        Self {
            presented,
            anchors,
            leaf,
            algorithms: provider().signature_verification_algorithms.all,
            time: presented.now,
            usage: Usage::Server,
            from: From::Roots,
            revocation: Revocation::Checked,
        }
    }

    /// Looks for a chain without an error.
    fn look(&self) -> Result<(), Error> {
        let roots = match &self.from {
            From::Roots => self.anchors.roots.roots.as_slice(),
            From::ItsEnd(end) => std::slice::from_ref(end),
        };
        let lists: Vec<_> = self.anchors.revocation_lists.iter().collect();
        let revocation = match self.revocation {
            Revocation::Checked => RevocationOptionsBuilder::new(&lists).ok(),
            Revocation::Unchecked => None,
        };
        let revocation =
            revocation.map(|options| options.with_expiration_policy(ExpirationPolicy::Enforce));
        self.leaf
            .verify_for_usage(
                self.algorithms,
                roots,
                self.presented.intermediates,
                self.time,
                self.usage,
                revocation.map(RevocationOptionsBuilder::build),
                None,
            )
            .map(drop)
    }

    /// Notes the error, and gets it out of the way if there may be others behind it.
    fn look_behind(&mut self, error: Error, findings: &mut Findings) -> Step {
        let step = match &error {
            Error::CertExpired { not_after: at, .. }
            | Error::CertNotValidYet { not_before: at, .. } => {
                self.time = *at;
                Step::Again
            }
            Error::RequiredEkuNotFoundContext(_) => {
                self.usage = Usage::Any;
                Step::Again
            }
            Error::CaUsedAsEndEntity => {
                if !self.leaf_is_root() {
                    // Its issuer is not looked at: nothing shows that it is trusted.
                    findings.add(self.end_of_chain().0, Cause::Webpki(Error::UnknownIssuer));
                }
                Step::Done
            }
            Error::UnknownIssuer => return self.go_on_from_its_end(findings),
            _ => match of_webpki(&error) {
                CertificateError::Revoked
                | CertificateError::RevocationInformationMissing
                | CertificateError::RevocationFailure => {
                    self.revocation = Revocation::Unchecked;
                    Step::Again
                }
                _ => Step::Done,
            },
        };
        findings.note(error);
        step
    }

    /// Nobody who is trusted has issued it: takes the end of the chain for a root, once.
    fn go_on_from_its_end(&mut self, findings: &mut Findings) -> Step {
        if matches!(self.from, From::ItsEnd(_)) {
            return Step::Done;
        }
        let (error, end) = self.end_of_chain();
        findings.add(error, Cause::Webpki(Error::UnknownIssuer));
        match anchor_from_trusted_cert(end) {
            Ok(end) => {
                self.from = From::ItsEnd(end);
                Step::Again
            }
            Err(error) => {
                findings.note(error);
                Step::Done
            }
        }
    }

    /// The last certificate that was shown, and what it means that it is not trusted: when it has
    /// issued itself it is a root, only not a trusted one.
    fn end_of_chain(&self) -> (CertificateError, &'a CertificateDer<'a>) {
        let mut end = self.presented.leaf;
        for _ in 0..=self.presented.intermediates.len() {
            let Ok(certificate) = EndEntityCert::try_from(end) else {
                break;
            };
            if certificate.issuer() == certificate.subject() {
                return (CertificateError::Untrusted, end);
            }
            let issuer = self.presented.intermediates.iter().find(|candidate| {
                EndEntityCert::try_from(*candidate)
                    .is_ok_and(|candidate| candidate.subject() == certificate.issuer())
            });
            match issuer {
                Some(issuer) => end = issuer,
                None => break,
            }
        }
        (CertificateError::IncompleteChain, end)
    }

    /// Whether the server's own certificate is a trusted root.
    fn leaf_is_root(&self) -> bool {
        let Ok(leaf) = anchor_from_trusted_cert(self.presented.leaf) else {
            return false;
        };
        self.anchors.roots.roots.iter().any(|root| {
            root.subject == leaf.subject
                && root.subject_public_key_info == leaf.subject_public_key_info
        })
    }

    /// What was not looked at because of an error, by what is cheap to tell and errs on the safe
    /// side.
    fn end(self, mut findings: Findings) -> Findings {
        if findings.is_empty() || self.anchors.revocation_lists.is_empty() {
            return findings;
        }
        if self.is_listed() {
            findings.note(Error::CertRevoked);
        }
        if self.time < self.presented.now {
            // The lists were looked at as of then.
            let cause = "revocation lists are not known to be valid today";
            findings.add(CertificateError::RevocationFailure, Cause::Own(cause));
        }
        findings
    }

    /// Whether a list with the right name has one of the certificates, signed or not.
    fn is_listed(&self) -> bool {
        let intermediates = self.presented.intermediates.iter();
        let shown = std::iter::once(self.presented.leaf).chain(intermediates);
        shown
            .filter_map(|certificate| EndEntityCert::try_from(certificate).ok())
            .any(|certificate| {
                self.anchors.revocation_lists.iter().any(|list| {
                    list.issuer() == certificate.issuer()
                        && !matches!(list.find_serial(certificate.serial()), Ok(None))
                })
            })
    }
}
