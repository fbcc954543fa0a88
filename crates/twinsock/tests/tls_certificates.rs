//! All that can be wrong with a server's certificate: what is told, and what can be ignored.

mod certificates;

use certificates::{Authority, Leaf, Server, assert_echoes, authority_params, params, params_for};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyIdMethod, KeyPair, NameConstraints,
    RevocationReason, RevokedCertParams, SerialNumber, date_time_ymd,
};
use twinsock::CertificateError::{self as Found, *};
use twinsock::{
    CertificateErrorSeverity, ClientTls, Error, ErrorKind, MessageWebSocket, RevocationList,
    WebErrorStatus,
};

/// Connects to a server that shows this certificate.
async fn connect(
    leaf: &Leaf,
    tls: &ClientTls,
    ignored: &[Found],
) -> Result<MessageWebSocket, Error> {
    let server = Server::start(leaf.unchecked_server_tls()).await;
    MessageWebSocket::builder()
        .tls(tls.clone())
        .dangerously_ignore_certificate_errors(ignored.iter().copied())
        .connect(&server.uri())
        .await
}

async fn failure(leaf: &Leaf, tls: &ClientTls, ignored: &[Found]) -> Error {
    let error = connect(leaf, tls, ignored).await.expect_err("wrong");
    assert_eq!(error.kind(), ErrorKind::CertificateRejected, "{error:?}");
    error
}

/// That the errors are told, each set of them that misses one still fails, and that all of them
/// together can be ignored, or not.
async fn assert_found(leaf: &Leaf, tls: &ClientTls, expected: &[Found], status: WebErrorStatus) {
    let error = failure(leaf, tls, &[]).await;
    let mut found = error.certificate_errors().to_vec();
    found.sort();
    assert_eq!(found, expected, "{error:?}");
    assert_eq!(error.status(), status);
    let severity = CertificateErrorSeverity::of(expected);
    for missing in expected {
        let others: Vec<_> = expected
            .iter()
            .copied()
            .filter(|error| error != missing)
            .collect();
        if CertificateErrorSeverity::of(&others) != CertificateErrorSeverity::Fatal {
            failure(leaf, tls, &others).await;
        }
    }
    let all = connect(leaf, tls, expected).await;
    if severity == CertificateErrorSeverity::Fatal {
        let error = all.expect_err("not to be ignored");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        return;
    }
    let information = all.expect("ignored").information().clone();
    let mut ignored = information.server_certificate_errors().to_vec();
    ignored.sort();
    assert_eq!(ignored, expected);
    assert_eq!(information.server_certificate_error_severity(), severity);
    let shown = information.server_certificate().expect("shown");
    assert_eq!(shown.as_der(), leaf.chain[0]);
}

fn expired() -> CertificateParams {
    let mut params = params();
    params.not_after = date_time_ymd(2020, 1, 1);
    params
}

fn not_yet_valid() -> CertificateParams {
    let mut params = params();
    params.not_before = date_time_ymd(2100, 1, 1);
    params
}

fn for_clients() -> CertificateParams {
    let mut params = params();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

#[tokio::test]
async fn nothing_is_wrong_with_a_right_one() {
    let root = Authority::root();
    let socket = connect(&root.issue(params()), &root.trusted(), &[])
        .await
        .unwrap();
    let information = socket.information();
    assert_eq!(information.server_certificate_errors(), []);
    let severity = information.server_certificate_error_severity();
    assert_eq!(severity, CertificateErrorSeverity::None);
    assert_echoes(&socket).await;
}

#[tokio::test]
async fn an_expired_one() {
    let root = Authority::root();
    let leaf = root.issue(expired());
    assert_found(
        &leaf,
        &root.trusted(),
        &[Expired],
        WebErrorStatus::CertificateExpired,
    )
    .await;
}

#[tokio::test]
async fn one_that_is_not_yet_valid() {
    let root = Authority::root();
    let leaf = root.issue(not_yet_valid());
    assert_found(
        &leaf,
        &root.trusted(),
        &[Expired],
        WebErrorStatus::CertificateExpired,
    )
    .await;
}

#[tokio::test]
async fn an_expired_intermediate() {
    let root = Authority::root();
    let mut params_of_issuer = authority_params("an issuer");
    params_of_issuer.not_after = date_time_ymd(2020, 1, 1);
    let leaf = root.intermediate(params_of_issuer).issue(params());
    assert_found(
        &leaf,
        &root.trusted(),
        &[Expired],
        WebErrorStatus::CertificateExpired,
    )
    .await;
}

#[tokio::test]
async fn dates_that_never_agree_cannot_be_ignored() {
    let root = Authority::root();
    let mut params_of_issuer = authority_params("an issuer");
    params_of_issuer.not_before = date_time_ymd(2100, 1, 1);
    let leaf = root.intermediate(params_of_issuer).issue(expired());
    let status = WebErrorStatus::CertificateContainsErrors;
    assert_found(&leaf, &root.trusted(), &[Expired, OtherErrors], status).await;
}

#[tokio::test]
async fn one_for_another_name() {
    let root = Authority::root();
    let leaf = root.issue(params_for("elsewhere.example"));
    let status = WebErrorStatus::CertificateCommonNameIsIncorrect;
    assert_found(&leaf, &root.trusted(), &[InvalidName], status).await;
}

#[tokio::test]
async fn a_self_signed_one() {
    let root = Authority::root();
    let leaf = Leaf::self_signed(params());
    assert_found(
        &leaf,
        &root.trusted(),
        &[Untrusted],
        WebErrorStatus::CertificateIsInvalid,
    )
    .await;
}

#[tokio::test]
async fn one_of_an_unknown_issuer_that_is_not_sent() {
    let leaf = Authority::of(authority_params("a stranger")).issue(params());
    let tls = Authority::root().trusted();
    let status = WebErrorStatus::CertificateIsInvalid;
    assert_found(&leaf, &tls, &[IncompleteChain], status).await;
}

#[tokio::test]
async fn one_of_an_unknown_root_that_is_sent() {
    let stranger = Authority::of(authority_params("a stranger"));
    let mut leaf = stranger.issue(params());
    leaf.chain.push(stranger.certificate().as_der().to_vec());
    let tls = Authority::root().trusted();
    assert_found(
        &leaf,
        &tls,
        &[Untrusted],
        WebErrorStatus::CertificateIsInvalid,
    )
    .await;
}

#[tokio::test]
async fn an_intermediate_that_is_missing() {
    let root = Authority::root();
    let mut leaf = root
        .intermediate(authority_params("an issuer"))
        .issue(params());
    leaf.chain.truncate(1);
    let status = WebErrorStatus::CertificateIsInvalid;
    assert_found(&leaf, &root.trusted(), &[IncompleteChain], status).await;
}

#[tokio::test]
async fn one_for_clients() {
    let root = Authority::root();
    let leaf = root.issue(for_clients());
    let status = WebErrorStatus::CertificateContainsErrors;
    assert_found(&leaf, &root.trusted(), &[WrongUsage], status).await;
}

#[tokio::test]
async fn that_of_an_authority() {
    let root = Authority::root();
    let mut of_authority = params();
    of_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let leaf = root.issue(of_authority);
    let status = WebErrorStatus::CertificateContainsErrors;
    let errors = [IncompleteChain, WrongUsage];
    assert_found(&leaf, &root.trusted(), &errors, status).await;
}

#[tokio::test]
async fn a_trusted_root_that_is_a_server_too() {
    let mut of_authority = params();
    of_authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let leaf = Leaf::self_signed(of_authority);
    let builder = ClientTls::builder().only_roots([leaf.certificate()]);
    let status = WebErrorStatus::CertificateContainsErrors;
    assert_found(&leaf, &builder.build().unwrap(), &[WrongUsage], status).await;
}

#[tokio::test]
async fn a_forged_signature() {
    let root = Authority::root();
    let mut leaf = root.issue(params());
    *leaf.chain[0].last_mut().unwrap() ^= 1;
    let status = WebErrorStatus::CertificateIsInvalid;
    assert_found(&leaf, &root.trusted(), &[InvalidSignature], status).await;
}

#[tokio::test]
async fn a_forged_signature_behind_an_unknown_issuer() {
    let stranger = Authority::of(authority_params("a stranger"));
    let mut leaf = stranger.issue(params());
    *leaf.chain[0].last_mut().unwrap() ^= 1;
    leaf.chain.push(stranger.certificate().as_der().to_vec());
    let status = WebErrorStatus::CertificateContainsErrors;
    let tls = Authority::root().trusted();
    assert_found(&leaf, &tls, &[Untrusted, InvalidSignature], status).await;
}

#[tokio::test]
async fn an_intermediate_that_is_no_authority() {
    let root = Authority::root();
    let mut no_authority = params();
    no_authority
        .distinguished_name
        .push(DnType::CommonName, "no authority");
    let leaf = root.intermediate(no_authority).issue(params());
    let status = WebErrorStatus::CertificateContainsErrors;
    assert_found(&leaf, &root.trusted(), &[BasicConstraintsError], status).await;
}

#[tokio::test]
async fn a_chain_that_is_longer_than_allowed() {
    let root = Authority::root();
    let mut short = authority_params("a short one");
    short.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let leaf = root
        .intermediate(short)
        .intermediate(authority_params("one more"))
        .issue(params());
    let status = WebErrorStatus::CertificateContainsErrors;
    assert_found(&leaf, &root.trusted(), &[BasicConstraintsError], status).await;
}

#[tokio::test]
async fn an_issuer_for_other_names() {
    let root = Authority::root();
    let mut narrow = authority_params("a narrow one");
    narrow.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("elsewhere.example".to_owned())],
        excluded_subtrees: Vec::new(),
    });
    let leaf = root.intermediate(narrow).issue(params_for("localhost"));
    let status = WebErrorStatus::CertificateContainsErrors;
    let errors = [InvalidCertificateAuthorityPolicy];
    assert_found(&leaf, &root.trusted(), &errors, status).await;
}

#[tokio::test]
async fn an_unknown_critical_extension() {
    let root = Authority::root();
    let mut strange = params();
    let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4, 5], vec![5, 0]);
    extension.set_criticality(true);
    strange.custom_extensions.push(extension);
    let leaf = root.issue(strange);
    let status = WebErrorStatus::CertificateContainsErrors;
    assert_found(&leaf, &root.trusted(), &[UnknownCriticalExtension], status).await;
}

#[tokio::test]
async fn one_that_cannot_be_read() {
    let root = Authority::root();
    let mut leaf = root.issue(params());
    leaf.chain[0].truncate(100);
    let status = WebErrorStatus::CertificateContainsErrors;
    assert_found(&leaf, &root.trusted(), &[OtherErrors], status).await;
}

#[tokio::test]
async fn several_at_once_are_all_told() {
    let mut wrong = expired();
    wrong.subject_alt_names = params_for("elsewhere.example").subject_alt_names;
    wrong.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let leaf = Leaf::self_signed(wrong.clone());
    let root = Authority::root();
    let status = WebErrorStatus::CertificateContainsErrors;
    let all = [Untrusted, Expired, WrongUsage, InvalidName];
    assert_found(&leaf, &root.trusted(), &all, status).await;
    let of_root = root.issue(wrong);
    assert_found(&of_root, &root.trusted(), &all[1..], status).await;
    let of_stranger = Authority::of(authority_params("a stranger"));
    let mut of_stranger = of_stranger
        .intermediate(authority_params("an issuer"))
        .issue(expired());
    let all = [Expired, IncompleteChain];
    assert_found(&of_stranger, &root.trusted(), &all, status).await;
    *of_stranger.chain[0].last_mut().unwrap() ^= 1;
    let all = [Expired, IncompleteChain, InvalidSignature];
    assert_found(&of_stranger, &root.trusted(), &all, status).await;
}

#[tokio::test]
async fn the_name_of_a_wildcard_and_an_address_are_right() {
    let root = Authority::root();
    let server = Server::start(root.issue(params()).server_tls()).await;
    let uri = format!("wss://127.0.0.1:{}/", server.address.port());
    let builder = MessageWebSocket::builder().tls(root.trusted());
    assert_echoes(&builder.connect(&uri).await.unwrap()).await;
    let named = Server::start(root.issue(params_for("localhost")).server_tls()).await;
    let uri = format!("wss://127.0.0.1:{}/", named.address.port());
    let builder = MessageWebSocket::builder().tls(root.trusted());
    let error = builder.connect(&uri).await.unwrap_err();
    assert_eq!(error.certificate_errors(), [InvalidName]);
}

/// A list of `root` that has these numbers.
fn list(root: &Authority, serials: &[u64], until: i32) -> RevocationList {
    let revoked = serials.iter().map(|&serial| RevokedCertParams {
        serial_number: SerialNumber::from(serial),
        revocation_time: date_time_ymd(2024, 1, 1),
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2024, 1, 1),
        next_update: date_time_ymd(until, 1, 1),
        crl_number: SerialNumber::from(1u64),
        issuing_distribution_point: None,
        revoked_certs: revoked.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = params.signed_by(root.issuer()).expect("a list");
    RevocationList::from_pem(list.pem().expect("PEM"))
        .expect("a list")
        .remove(0)
}

fn numbered(number: u64, mut params: CertificateParams) -> CertificateParams {
    params.serial_number = Some(SerialNumber::from(number));
    params
}

fn with_lists(root: &Authority, lists: Vec<RevocationList>) -> ClientTls {
    let builder = ClientTls::builder().only_roots([root.certificate()]);
    builder.revocation_lists(lists).build().expect("lists")
}

#[tokio::test]
async fn a_revoked_one() {
    let root = Authority::root();
    let tls = with_lists(&root, vec![list(&root, &[7], 2100)]);
    let revoked = root.issue(numbered(7, params()));
    assert_found(
        &revoked,
        &tls,
        &[Revoked],
        WebErrorStatus::CertificateRevoked,
    )
    .await;
    let other = root.issue(numbered(8, params()));
    assert_echoes(&connect(&other, &tls, &[]).await.unwrap()).await;
}

#[tokio::test]
async fn revocation_is_not_hidden_by_what_is_ignored() {
    let root = Authority::root();
    let status = WebErrorStatus::CertificateContainsErrors;
    // Behind its dates, at which the list may not have been there.
    let tls = with_lists(&root, vec![list(&root, &[7], 2100)]);
    let revoked = root.issue(numbered(7, expired()));
    let errors = [Revoked, Expired, RevocationFailure];
    assert_found(&revoked, &tls, &errors, status).await;
    // Behind a list that is out of date.
    let stale = with_lists(&root, vec![list(&root, &[7], 2025)]);
    let revoked = root.issue(numbered(7, params()));
    assert_found(&revoked, &stale, &[Revoked, RevocationFailure], status).await;
    // Behind an issuer that is not trusted, with the list of the one that is.
    let namesake = Authority::root();
    let forged = namesake.issue(numbered(7, params()));
    let errors = connect(&forged, &tls, &[]).await.unwrap_err();
    assert!(errors.certificate_errors().contains(&Revoked), "{errors:?}");
}

#[tokio::test]
async fn lists_that_do_not_tell() {
    let root = Authority::root();
    let status = WebErrorStatus::CertificateContainsErrors;
    let other = Authority::of(authority_params("another"));
    let missing = with_lists(&root, vec![list(&other, &[], 2100)]);
    let leaf = root.issue(params());
    assert_found(&leaf, &missing, &[RevocationInformationMissing], status).await;
    let stale = with_lists(&root, vec![list(&root, &[], 2025)]);
    assert_found(&leaf, &stale, &[RevocationFailure], status).await;
    let namesake = Authority::root();
    let forged = with_lists(&root, vec![list(&namesake, &[], 2100)]);
    assert_found(&leaf, &forged, &[RevocationFailure], status).await;
}

#[tokio::test]
async fn the_key_of_the_handshake_is_checked_whatever_is_ignored() {
    let root = Authority::root();
    let mut impostor = root.issue(params());
    impostor.key = KeyPair::generate().unwrap().serialize_der();
    let everything = [
        Untrusted,
        Expired,
        IncompleteChain,
        WrongUsage,
        InvalidName,
        RevocationInformationMissing,
        RevocationFailure,
    ];
    let error = failure(&impostor, &root.trusted(), &everything).await;
    assert_eq!(error.certificate_errors(), [InvalidSignature]);
}
