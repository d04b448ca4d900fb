//! The description of this service.

use crate::matrix::declared;
use crate::support::Instance;

#[tokio::test]
async fn every_route_is_described_and_nothing_else() {
    let instance = Instance::new().await;
    let description = instance.service.get("/openapi.json").await;
    let description = description.expect_status(200).json();
    assert_eq!(description["openapi"], "3.1.0");
    let mut described = Vec::new();
    let mut ids = Vec::new();
    for (path, item) in description["paths"].as_object().expect("paths") {
        for method in ["get", "post", "put", "patch", "delete"] {
            let operation = &item[method];
            if operation.is_object() {
                described.push(format!("{} {path}", method.to_uppercase()));
                ids.push(operation["operationId"].as_str().expect("an id").to_owned());
            }
        }
    }
    described.sort();
    assert_eq!(described, declared());
    ids.sort();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "an operation's id twice");
}
