//! The description of the API: `OpenAPI` 3.1, made from the code and locked.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use seaworthy_server::{Need, openapi, routes};
use serde_json::{Value, json};

use crate::ask::read;
use crate::world::{World, on_each_database};

on_each_database! { it_is_served_to_anybody }

fn document() -> Value {
    serde_json::to_value(openapi()).expect("a document has a JSON form")
}

/// Every value in a document with where it is.
fn each(value: &Value, place: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(place, value);
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                each(field, &format!("{place}/{name}"), visit);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                each(item, &format!("{place}/{at}"), visit);
            }
        }
        _ => {}
    }
}

/// The part of the schema of `OpenAPI` 3.1 documents that ours use, written after the
/// specification: what must be there, and that nothing else is.
fn meta_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["openapi", "info", "paths", "components"],
        "additionalProperties": false,
        "properties": {
            "openapi": { "type": "string", "pattern": "^3\\.1\\.\\d+$" },
            "info": {
                "type": "object",
                "required": ["title", "version"],
                "properties": {
                    "license": {
                        "type": "object",
                        "required": ["name"],
                        "not": { "required": ["identifier", "url"] }
                    }
                }
            },
            "paths": {
                "type": "object",
                "propertyNames": { "pattern": "^/" },
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": false,
                    "patternProperties": {
                        "^(get|put|post|patch|delete)$": { "$ref": "#/$defs/operation" }
                    }
                }
            },
            "components": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "schemas": {
                        "type": "object",
                        "propertyNames": { "pattern": "^[a-zA-Z0-9._-]+$" },
                        "additionalProperties": { "$ref": "#/$defs/schema" }
                    },
                    "securitySchemes": {
                        "type": "object",
                        "additionalProperties": {
                            "type": "object",
                            "required": ["type"],
                            "oneOf": [
                                {
                                    "properties": { "type": { "const": "http" } },
                                    "required": ["scheme"]
                                },
                                {
                                    "properties": {
                                        "type": { "const": "apiKey" },
                                        "in": { "enum": ["query", "header", "cookie"] }
                                    },
                                    "required": ["name", "in"]
                                }
                            ]
                        }
                    }
                }
            }
        },
        "$defs": {
            "operation": {
                "type": "object",
                "required": ["operationId", "responses", "summary", "description", "tags",
                             "security"],
                "additionalProperties": false,
                "properties": {
                    "operationId": { "type": "string", "pattern": "^[a-z_]+$" },
                    "summary": { "type": "string", "minLength": 1 },
                    "description": { "type": "string", "minLength": 1 },
                    "tags": { "type": "array", "items": { "type": "string" } },
                    "security": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": { "type": "array" }
                        }
                    },
                    "parameters": {
                        "type": "array",
                        "items": { "$ref": "#/$defs/parameter" }
                    },
                    "requestBody": {
                        "type": "object",
                        "required": ["content"],
                        "properties": { "content": { "$ref": "#/$defs/content" } }
                    },
                    "responses": {
                        "type": "object",
                        "minProperties": 2,
                        "propertyNames": { "pattern": "^([1-5][0-9X]{2}|default)$" },
                        "additionalProperties": {
                            "type": "object",
                            "required": ["description"],
                            "properties": { "content": { "$ref": "#/$defs/content" } }
                        }
                    }
                }
            },
            "parameter": {
                "type": "object",
                "required": ["name", "in", "schema"],
                "properties": {
                    "in": { "enum": ["query", "path", "header"] },
                    "schema": { "$ref": "#/$defs/schema" }
                },
                "if": { "properties": { "in": { "const": "path" } } },
                "then": { "required": ["required"], "properties": { "required": { "const": true } } }
            },
            "content": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {
                    "type": "object",
                    "required": ["schema"],
                    "properties": { "schema": { "$ref": "#/$defs/schema" } }
                }
            },
            // What is said of a schema by itself is checked as JSON Schema below.
            "schema": { "type": ["object", "boolean"] }
        }
    })
}

#[test]
fn the_description_is_an_open_api_document() {
    let document = document();
    let validator = jsonschema::validator_for(&meta_schema()).expect("a schema");
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    // Every schema in it is one of JSON Schema 2020-12, the dialect of OpenAPI 3.1.
    let schemas = document["components"]["schemas"].as_object();
    for (name, schema) in schemas.expect("schemas") {
        let checked = jsonschema::draft202012::meta::validate(schema);
        assert!(checked.is_ok(), "{name}: {:?}", checked.err());
    }
}

#[test]
fn every_route_of_the_table_is_described_and_nothing_else_is() {
    let document = document();
    let mut described = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            described.insert(format!("{} {path}", method.to_uppercase()));
            let id = operation["operationId"].as_str().expect("an id");
            assert!(ids.insert(id.to_owned()), "`{id}` is there twice");
            let named = operation["parameters"].as_array().cloned();
            let named: BTreeSet<String> = named
                .unwrap_or_default()
                .iter()
                .filter(|it| it["in"] == "path")
                .map(|it| format!("{{{}}}", it["name"].as_str().expect("a name")))
                .collect();
            let in_path: BTreeSet<String> = path
                .split('/')
                .filter(|part| part.starts_with('{'))
                .map(str::to_owned)
                .collect();
            assert_eq!(named, in_path, "{method} {path}");
        }
    }
    let table: BTreeSet<String> = routes()
        .iter()
        .map(|row| format!("{} {}", row.method, row.path))
        .collect();
    assert_eq!(described, table);
    assert_eq!(table.len(), routes().len(), "a route is there twice");
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut references = 0;
    each(&document, "", &mut |place, value| {
        let Some(target) = value.get("$ref").and_then(Value::as_str) else {
            return;
        };
        let pointer = target.strip_prefix('#').expect("a place in this document");
        assert!(document.pointer(pointer).is_some(), "{place}: {target}");
        references += 1;
    });
    assert!(references > routes().len(), "{references}");
}

#[test]
fn what_a_route_needs_is_part_of_the_table() {
    for row in routes() {
        let names_object = |name: &str| row.path.contains(name);
        match row.need {
            Need::Namespace(_) => assert!(names_object("{namespace}"), "{row:?}"),
            Need::Repository(_) => assert!(names_object("{repository}"), "{row:?}"),
            // Nothing that belongs to a namespace is reached without a right there.
            Need::Nothing | Need::Somebody | Need::Own | Need::Sight | Need::Everywhere(_) => {
                assert!(!names_object("{namespace}"), "{row:?}");
                assert!(!names_object("{repository}"), "{row:?}");
            }
        }
    }
    let open: Vec<String> = routes()
        .into_iter()
        .filter(|row| row.need == Need::Nothing)
        .map(|row| format!("{} {}", row.method, row.path))
        .collect();
    assert_eq!(
        open,
        [
            "GET /api/v1/openapi.json",
            "POST /api/v1/session",
            "GET /api/v1/session/oidc",
            "GET /api/v1/session/oidc/callback",
            "POST /api/v1/session/exchange",
        ]
    );
}

#[test]
fn the_description_changes_only_on_purpose() {
    let text = serde_json::to_string_pretty(&document()).expect("JSON");
    insta::assert_snapshot!("openapi", text);
}

async fn it_is_served_to_anybody(world: World) {
    let answer = read("/openapi.json").of(&world).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json(), document());
}
