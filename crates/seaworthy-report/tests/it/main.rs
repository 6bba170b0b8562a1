//! Tests of the published documents against their schemas and readers.
