//! Who may go through a route, decided before its handler is called.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use seaworthy_access::{Refusal, Right, Where};
use seaworthy_store::{Namespace, RepositoryName};

use crate::caller::Caller;
use crate::form;
use crate::need::Need;
use crate::problem::{Kind, Problem};
use crate::shared::Shared;

/// Lets a request through to its handler, if its caller has what the route needs.
pub(crate) async fn guard(need: Need, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let (Some(shared), Some(caller)) = (
        parts.extensions.get::<Shared>().cloned(),
        parts.extensions.get::<Caller>().cloned(),
    ) else {
        return Problem::internal().into_response();
    };
    let answer = match need {
        Need::Nothing => Ok(()),
        Need::Somebody => caller.account().map(drop),
        Need::Own => caller.account().and_then(|_| has_password(&caller)),
        Need::Sight => has_password(&caller),
        Need::Everywhere(right) => everywhere(&shared, &caller, right).await,
        Need::Namespace(right) => match form::param(&mut parts, "namespace").await {
            Some(text) => match text.parse() {
                Ok(namespace) => in_namespace(&shared, &caller, right, &namespace).await,
                Err(_) => Err(unseen(&caller, right)),
            },
            // Bytes that are no text name nothing.
            None => Err(unseen(&caller, right)),
        },
        Need::Repository(right) => match form::param(&mut parts, "repository").await {
            Some(text) => match form::repository(&text) {
                Some(name) => in_repository(&shared, &caller, right, &name).await,
                None => Err(unseen(&caller, right)),
            },
            // Bytes that are no text name nothing.
            None => Err(unseen(&caller, right)),
        },
    };
    match answer {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => problem.into_response(),
    }
}

fn has_password(caller: &Caller) -> Result<(), Problem> {
    if caller.principal.must_change_password {
        Err(Refusal::PasswordDue.into())
    } else {
        Ok(())
    }
}

/// The answer for what is not there and for what one may not see: whoever did not say
/// who they are is asked to, for both.
fn unseen(caller: &Caller, right: Right) -> Problem {
    if caller.is_somebody() {
        Problem::absent()
    } else {
        Refusal::Anonymous(right).into()
    }
}

/// Whether the caller has the right in the whole installation.
pub(crate) async fn everywhere(
    shared: &Shared,
    caller: &Caller,
    right: Right,
) -> Result<(), Problem> {
    let answer = shared
        .authority
        .permit(&caller.principal, right, Where::Everywhere)
        .await?;
    answer.map_err(Problem::from)
}

/// Whether the caller has the right in a namespace. One that they may not even read
/// is not there for them.
pub(crate) async fn in_namespace(
    shared: &Shared,
    caller: &Caller,
    right: Right,
    namespace: &Namespace,
) -> Result<(), Problem> {
    let place = Where::In(namespace);
    let Err(refusal) = shared
        .authority
        .permit(&caller.principal, right, place)
        .await?
    else {
        return Ok(());
    };
    if refusal == Refusal::PasswordDue {
        return Err(refusal.into());
    }
    let reads = shared
        .authority
        .permit(&caller.principal, Right::Read, place)
        .await?;
    Err(refused(caller, right, refusal, reads.is_ok()))
}

/// Whether the caller has the right in a repository. One that they may not even read
/// is not there for them.
pub(crate) async fn in_repository(
    shared: &Shared,
    caller: &Caller,
    right: Right,
    repository: &RepositoryName,
) -> Result<(), Problem> {
    let Err(refusal) = shared
        .authority
        .permit_repository(&caller.principal, right, repository)
        .await?
    else {
        return Ok(());
    };
    if refusal == Refusal::PasswordDue {
        return Err(refusal.into());
    }
    let reads = shared
        .authority
        .permit_repository(&caller.principal, Right::Read, repository)
        .await?;
    Err(refused(caller, right, refusal, reads.is_ok()))
}

fn refused(caller: &Caller, right: Right, refusal: Refusal, reads: bool) -> Problem {
    if reads && caller.is_somebody() {
        refusal.into()
    } else if caller.is_somebody() {
        Problem::absent()
    } else {
        Problem::new(Kind::Unauthenticated, Refusal::Anonymous(right).to_string())
    }
}
