-- Times are milliseconds since 1970, truths 0 or 1, addresses `algorithm:hex`.

-- Repositories and what is in them ------------------------------------------

CREATE TABLE namespace (
    id {serial},
    name {bytewise} NOT NULL UNIQUE,
    is_public BIGINT NOT NULL DEFAULT 0,
    -- Whether images pushed from now on are scanned by themselves.
    auto_scan BIGINT NOT NULL DEFAULT 1,
    -- Whether manifests may name what is not there (yet).
    is_sparse BIGINT NOT NULL DEFAULT 0,
    -- The most bytes its blobs and manifests may take; none is no limit.
    quota_bytes BIGINT,
    -- Rules as JSON: which tags never move, which are removed when.
    immutable_tags TEXT NOT NULL DEFAULT '[]',
    retention TEXT NOT NULL DEFAULT '[]',
    created_at BIGINT NOT NULL,
    -- Counts up with every change, for ETags.
    revision BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE repository (
    id {serial},
    namespace_id BIGINT NOT NULL REFERENCES namespace (id),
    name {bytewise} NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    pushed_at BIGINT
);
CREATE INDEX repository_namespace ON repository (namespace_id, name);

-- Bytes that are stored: where, as JSON of the blob store.
CREATE TABLE blob (
    address TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    place TEXT NOT NULL,
    stored_at BIGINT NOT NULL
);

-- Which blobs a repository may serve. One that no manifest of the repository
-- names is kept until `kept_until`, so that a push can finish. None: manifests hold
-- it, and whoever removes the last of them removes it, too.
CREATE TABLE repository_blob (
    repository_id BIGINT NOT NULL REFERENCES repository (id),
    address TEXT NOT NULL REFERENCES blob (address),
    kept_until BIGINT,
    PRIMARY KEY (repository_id, address)
);
CREATE INDEX repository_blob_kept ON repository_blob (kept_until);
CREATE INDEX repository_blob_address ON repository_blob (address);

-- Bytes whose blob is forgotten and that are to be removed.
CREATE TABLE grave (
    id {serial},
    place TEXT NOT NULL,
    buried_at BIGINT NOT NULL
);

CREATE TABLE manifest (
    id {serial},
    repository_id BIGINT NOT NULL REFERENCES repository (id),
    address TEXT NOT NULL,
    media_type TEXT NOT NULL,
    -- As the referrers list tells it.
    artifact_type TEXT,
    -- `image`, `index` or `artifact`.
    kind TEXT NOT NULL,
    size BIGINT NOT NULL,
    content {bytes} NOT NULL,
    subject TEXT,
    annotations TEXT NOT NULL DEFAULT '{}',
    pushed_at BIGINT NOT NULL,
    pushed_by TEXT NOT NULL,
    pulled_at BIGINT,
    -- When it goes unless somebody tags or names it: its last index was deleted.
    left_until BIGINT,
    UNIQUE (repository_id, address)
);
CREATE INDEX manifest_subject ON manifest (repository_id, subject);
CREATE INDEX manifest_address ON manifest (address);
CREATE INDEX manifest_left ON manifest (left_until);

-- What a manifest names: `config`, `layer`, `foreign` (blobs; the last may lie
-- elsewhere) and `manifest` (children).
CREATE TABLE manifest_part (
    manifest_id BIGINT NOT NULL REFERENCES manifest (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    role TEXT NOT NULL,
    address TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    -- Such as `linux/amd64`, where an index says so.
    platform TEXT,
    PRIMARY KEY (manifest_id, position)
);
CREATE INDEX manifest_part_address ON manifest_part (address);

CREATE TABLE tag (
    repository_id BIGINT NOT NULL REFERENCES repository (id),
    name {bytewise} NOT NULL,
    address TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (repository_id, name)
);
CREATE INDEX tag_address ON tag (repository_id, address);

-- Uploads that are not finished.
CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repository (id),
    actor TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    touched_at BIGINT NOT NULL,
    received BIGINT NOT NULL DEFAULT 0,
    -- What the blob store needs to go on, as JSON.
    state TEXT NOT NULL
);
CREATE INDEX upload_touched ON upload (touched_at);
CREATE INDEX upload_actor ON upload (actor);

-- Images and what is known of them -------------------------------------------

-- An image of a repository: a manifest that was pushed, or what `scan --server`
-- told of one that lies elsewhere.
CREATE TABLE image (
    id {serial},
    repository_id BIGINT NOT NULL REFERENCES repository (id),
    address TEXT NOT NULL,
    -- `full` (image and metadata) or `metadata` (metadata only).
    retention_class TEXT NOT NULL,
    -- `image`, `index` or `artifact`.
    kind TEXT NOT NULL,
    platform TEXT,
    -- As it was called when it was told of, for images without a manifest here.
    target TEXT,
    -- `not_scanned`, `queued`, `scanning`, `done`, `unsupported` or `failed`.
    state TEXT NOT NULL,
    reason TEXT,
    state_since BIGINT NOT NULL,
    labels TEXT NOT NULL DEFAULT '{}',
    -- The newest report, in numbers.
    report_id BIGINT,
    outcome TEXT,
    critical BIGINT NOT NULL DEFAULT 0,
    high BIGINT NOT NULL DEFAULT 0,
    medium BIGINT NOT NULL DEFAULT 0,
    low BIGINT NOT NULL DEFAULT 0,
    negligible BIGINT NOT NULL DEFAULT 0,
    unrated BIGINT NOT NULL DEFAULT 0,
    fixable BIGINT NOT NULL DEFAULT 0,
    packages BIGINT NOT NULL DEFAULT 0,
    edition TEXT,
    assessed_at BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (repository_id, address)
);
CREATE INDEX image_address ON image (address);
CREATE INDEX image_state ON image (state);
-- What changed since: the events of the API.
CREATE INDEX image_turn ON image (state_since, id);

CREATE TABLE image_label (
    image_id BIGINT NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (image_id, name)
);
CREATE INDEX image_label_value ON image_label (name, value);

-- What probes found in a layer, by the digest its bytes proved to have.
CREATE TABLE layer_record (
    address TEXT NOT NULL,
    size BIGINT NOT NULL,
    probes TEXT NOT NULL,
    content {bytes} NOT NULL,
    PRIMARY KEY (address, probes)
);

CREATE TABLE inventory (
    image_id BIGINT PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,
    probes TEXT NOT NULL,
    taken_at BIGINT NOT NULL,
    content {bytes} NOT NULL
);

CREATE TABLE report (
    id {serial},
    image_id BIGINT NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    made_at BIGINT NOT NULL,
    edition TEXT,
    outcome TEXT NOT NULL,
    -- Numbers by severity, and what is new and gone since the report before.
    summary TEXT NOT NULL,
    difference TEXT NOT NULL,
    -- What was found, packed, to tell the next report from this one; kept for the
    -- newest one.
    findings {bytes},
    -- The document, packed; absent for old ones.
    content {bytes}
);
CREATE INDEX report_image ON report (image_id, id);

-- A package in the surroundings that decide what is said of it. Images share them.
CREATE TABLE component (
    id {serial},
    hash TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    purl {bytewise} NOT NULL,
    source_name TEXT,
    -- The edition that its findings are of.
    edition TEXT NOT NULL DEFAULT ''
);
CREATE INDEX component_name ON component (name, version);
CREATE INDEX component_source ON component (source_name);
CREATE INDEX component_purl ON component (purl);

CREATE TABLE image_component (
    component_id BIGINT NOT NULL REFERENCES component (id),
    image_id BIGINT NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    PRIMARY KEY (component_id, image_id)
){keyed};
CREATE INDEX image_component_image ON image_component (image_id);

CREATE TABLE component_finding (
    component_id BIGINT NOT NULL REFERENCES component (id),
    vulnerability TEXT NOT NULL,
    severity TEXT,
    fix TEXT NOT NULL,
    PRIMARY KEY (component_id, vulnerability)
){keyed};
CREATE INDEX component_finding_vulnerability ON component_finding (vulnerability);

-- Other names of vulnerabilities.
CREATE TABLE vulnerability_alias (
    alias TEXT NOT NULL,
    vulnerability TEXT NOT NULL,
    PRIMARY KEY (alias, vulnerability)
);

-- Work -----------------------------------------------------------------------

CREATE TABLE job (
    id {serial},
    -- Such as `scan`.
    kind TEXT NOT NULL,
    -- Lower goes first.
    lane BIGINT NOT NULL,
    -- Two jobs with the same key are one, while it waits.
    dedupe TEXT,
    body TEXT NOT NULL,
    -- `queued`, `running` or `dead`.
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    not_before BIGINT NOT NULL,
    lease_until BIGINT,
    -- Whose lease it is: a worker that lost it cannot finish the job.
    lease TEXT,
    worker TEXT,
    reason TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX job_ready ON job (state, lane, not_before, id);
CREATE INDEX job_oldest ON job (state, not_before, id);
CREATE INDEX job_lease ON job (state, lease_until);
CREATE INDEX job_dedupe ON job (dedupe, state);
CREATE UNIQUE INDEX job_waiting ON job (dedupe) WHERE state = 'queued';

-- People, robots and what they may --------------------------------------------

CREATE TABLE account (
    id {serial},
    -- `user` or `robot`.
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    display_name TEXT,
    email TEXT,
    -- Argon2id, of a user that signs in by password.
    password TEXT,
    -- A password that must be changed before anything else.
    must_change BIGINT NOT NULL DEFAULT 0,
    is_disabled BIGINT NOT NULL DEFAULT 0,
    -- For those that sign in elsewhere: issuer and subject.
    issuer TEXT,
    subject TEXT,
    -- The namespace a robot belongs to, if to one.
    namespace_id BIGINT REFERENCES namespace (id),
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    seen_at BIGINT,
    revision BIGINT NOT NULL DEFAULT 1,
    -- Counts up when what was shown before shall be good for nothing any more:
    -- tokens tell the epoch they were made in.
    epoch BIGINT NOT NULL DEFAULT 1,
    UNIQUE (kind, name)
);
CREATE UNIQUE INDEX account_subject ON account (issuer, subject);

-- Secrets are kept as hashes; a key is found by its public part.
CREATE TABLE api_key (
    id TEXT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    -- Narrows what the account may, as JSON; absent for all of it.
    scope TEXT,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX api_key_account ON api_key (account_id);

CREATE TABLE session (
    hash TEXT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL
);
CREATE INDEX session_account ON session (account_id);

-- A role of an account, in one namespace or in all.
CREATE TABLE role_grant (
    id {serial},
    account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    namespace_id BIGINT REFERENCES namespace (id),
    role TEXT NOT NULL,
    -- `given` by somebody, or `group`: told by the issuer at the last sign-in.
    origin TEXT NOT NULL DEFAULT 'given'
);
CREATE INDEX role_grant_account ON role_grant (account_id);
CREATE INDEX role_grant_namespace ON role_grant (namespace_id);

-- Which tokens of which issuer of workload identities act as which robot.
CREATE TABLE workload_identity (
    id {serial},
    account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    issuer TEXT NOT NULL,
    audience TEXT NOT NULL,
    -- Claims that must be there with these values, as JSON.
    claims TEXT NOT NULL
);
CREATE INDEX workload_identity_issuer ON workload_identity (issuer);

-- Keys of this installation that all nodes share.
CREATE TABLE installation_secret (
    name TEXT PRIMARY KEY,
    content {bytes} NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE audit (
    serial BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_actor ON audit (actor, serial);
CREATE INDEX audit_object ON audit (object, serial);

-- Entries are appended and nothing else, whoever holds the connection.
{sqlite} CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only appended to'); END;
{sqlite} CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only appended to'); END;
{postgres} CREATE FUNCTION audit_refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log is only appended to'; END $$;
{postgres} CREATE TRIGGER audit_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refused();
