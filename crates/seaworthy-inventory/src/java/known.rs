//! Groups of well-known artifacts whose archives do not tell them: what Gradle,
//! Ant and bnd build has no `pom.properties`, and its advisories would be missed.

/// An artifact that everybody knows.
struct Known {
    /// Its name; with a `*` at the end, how names start.
    artifact: &'static str,
    group: &'static str,
    /// The first major version that is no longer in this group.
    below: u32,
    /// Its name in the repository, where the archive is called otherwise.
    renamed: Option<&'static str>,
}

const fn always(artifact: &'static str, group: &'static str) -> Known {
    below(artifact, group, u32::MAX)
}

const fn below(artifact: &'static str, group: &'static str, below: u32) -> Known {
    Known {
        artifact,
        group,
        below,
        renamed: None,
    }
}

/// A file of the Tomcat distribution, where versions are not part of names.
const fn tomcat(artifact: &'static str, renamed: &'static str) -> Known {
    Known {
        artifact,
        group: "org.apache.tomcat",
        below: u32::MAX,
        renamed: Some(renamed),
    }
}

/// The first line that fits counts.
const KNOWN: &[Known] = &[
    always("spring-security-*", "org.springframework.security"),
    always("spring-boot*", "org.springframework.boot"),
    always("spring-session-*", "org.springframework.session"),
    always("spring-integration-*", "org.springframework.integration"),
    always("spring-batch-*", "org.springframework.batch"),
    always("spring-kafka*", "org.springframework.kafka"),
    always("spring-rabbit*", "org.springframework.amqp"),
    always("spring-amqp", "org.springframework.amqp"),
    always("spring-ws-*", "org.springframework.ws"),
    always("spring-retry", "org.springframework.retry"),
    always("spring-aop", "org.springframework"),
    always("spring-aspects", "org.springframework"),
    always("spring-beans", "org.springframework"),
    always("spring-context*", "org.springframework"),
    always("spring-core*", "org.springframework"),
    always("spring-expression", "org.springframework"),
    always("spring-instrument", "org.springframework"),
    always("spring-jcl", "org.springframework"),
    always("spring-jdbc", "org.springframework"),
    always("spring-jms", "org.springframework"),
    always("spring-messaging", "org.springframework"),
    always("spring-orm", "org.springframework"),
    always("spring-oxm", "org.springframework"),
    always("spring-r2dbc", "org.springframework"),
    always("spring-test", "org.springframework"),
    always("spring-tx", "org.springframework"),
    always("spring-web", "org.springframework"),
    always("spring-webflux", "org.springframework"),
    always("spring-webmvc", "org.springframework"),
    always("spring-websocket", "org.springframework"),
    always("tomcat-embed-*", "org.apache.tomcat.embed"),
    always("tomcat-*", "org.apache.tomcat"),
    tomcat("catalina", "tomcat-catalina"),
    tomcat("catalina-*", "tomcat-catalina"),
    tomcat("jasper", "tomcat-jasper"),
    always("bcprov-*", "org.bouncycastle"),
    always("bcpkix-*", "org.bouncycastle"),
    always("bcutil-*", "org.bouncycastle"),
    always("bcpg-*", "org.bouncycastle"),
    always("bc-fips", "org.bouncycastle"),
    always("kotlin-stdlib*", "org.jetbrains.kotlin"),
    always("kotlin-reflect", "org.jetbrains.kotlin"),
    always("kotlin-compiler*", "org.jetbrains.kotlin"),
    always("kotlinx-coroutines-*", "org.jetbrains.kotlinx"),
    below("okhttp*", "com.squareup.okhttp", 3),
    always("okhttp*", "com.squareup.okhttp3"),
    always("okio*", "com.squareup.okio"),
    always("retrofit", "com.squareup.retrofit2"),
    below("groovy*", "org.codehaus.groovy", 4),
    always("groovy*", "org.apache.groovy"),
    always("micrometer-*", "io.micrometer"),
    always("reactor-netty*", "io.projectreactor.netty"),
    always("reactor-core", "io.projectreactor"),
    always("rxjava", "io.reactivex.rxjava2"),
    below("hibernate-validator*", "org.hibernate", 6),
    always("hibernate-validator*", "org.hibernate.validator"),
    below("hibernate-core", "org.hibernate", 6),
    always("hibernate-core", "org.hibernate.orm"),
    below("dom4j", "dom4j", 2),
    always("dom4j", "org.dom4j"),
    always("h2", "com.h2database"),
    always("postgresql", "org.postgresql"),
    always("mysql-connector-java", "mysql"),
    always("mysql-connector-j", "com.mysql"),
    always("mssql-jdbc", "com.microsoft.sqlserver"),
    always("mariadb-java-client", "org.mariadb.jdbc"),
    always("sqlite-jdbc", "org.xerial"),
    always("snappy-java", "org.xerial.snappy"),
    always("elasticsearch", "org.elasticsearch"),
    always("elasticsearch-*", "org.elasticsearch"),
    always("opensearch", "org.opensearch"),
    always("lucene-*", "org.apache.lucene"),
    always("solr-*", "org.apache.solr"),
    always("kafka-*", "org.apache.kafka"),
    always("kafka_*", "org.apache.kafka"),
    always("zookeeper", "org.apache.zookeeper"),
    always("log4j", "log4j"),
    always("log4j-over-slf4j", "org.slf4j"),
    always("log4j-*", "org.apache.logging.log4j"),
    always("logback-*", "ch.qos.logback"),
    always("slf4j-*", "org.slf4j"),
    always("struts2-*", "org.apache.struts"),
    always("ant", "org.apache.ant"),
    always("ant-*", "org.apache.ant"),
    always("ivy", "org.apache.ivy"),
    always("velocity", "org.apache.velocity"),
    always("xercesImpl", "xerces"),
    always("xalan", "xalan"),
    always("serializer", "xalan"),
    always("xml-apis", "xml-apis"),
    always("xstream", "com.thoughtworks.xstream"),
    always("snakeyaml", "org.yaml"),
    always("json", "org.json"),
    always("json-simple", "com.googlecode.json-simple"),
    always("gson", "com.google.code.gson"),
    always("guava", "com.google.guava"),
    always("protobuf-java*", "com.google.protobuf"),
    always("grpc-*", "io.grpc"),
    always("netty-*", "io.netty"),
    always("jetty-*", "org.eclipse.jetty"),
    always("jackson-core-asl", "org.codehaus.jackson"),
    always("jackson-mapper-asl", "org.codehaus.jackson"),
    always("jackson-databind", "com.fasterxml.jackson.core"),
    always("jackson-core", "com.fasterxml.jackson.core"),
    always("jackson-annotations", "com.fasterxml.jackson.core"),
    always("jackson-dataformat-*", "com.fasterxml.jackson.dataformat"),
    always("jackson-datatype-*", "com.fasterxml.jackson.datatype"),
    always("jackson-module-*", "com.fasterxml.jackson.module"),
    always("commons-lang3", "org.apache.commons"),
    always("commons-text", "org.apache.commons"),
    always("commons-compress", "org.apache.commons"),
    always("commons-collections4", "org.apache.commons"),
    always("commons-configuration2", "org.apache.commons"),
    always("commons-beanutils", "commons-beanutils"),
    always("commons-codec", "commons-codec"),
    always("commons-collections", "commons-collections"),
    always("commons-dbcp", "commons-dbcp"),
    always("commons-fileupload", "commons-fileupload"),
    always("commons-httpclient", "commons-httpclient"),
    always("commons-io", "commons-io"),
    always("commons-lang", "commons-lang"),
    always("commons-logging", "commons-logging"),
    always("httpclient", "org.apache.httpcomponents"),
    always("httpcore", "org.apache.httpcomponents"),
    always("jython*", "org.python"),
    always("rhino", "org.mozilla"),
    always("quartz", "org.quartz-scheduler"),
    always("c3p0", "com.mchange"),
    always("hsqldb", "org.hsqldb"),
    always("ehcache", "org.ehcache"),
    always("junit", "junit"),
    always("fastjson", "com.alibaba"),
    always("druid", "com.alibaba"),
    always("shiro-*", "org.apache.shiro"),
    always("jenkins-core", "org.jenkins-ci.main"),
    always("scala-library", "org.scala-lang"),
    always("akka-*", "com.typesafe.akka"),
    always("undertow-*", "io.undertow"),
    always("vertx-*", "io.vertx"),
    always("quarkus-*", "io.quarkus"),
    always("hazelcast", "com.hazelcast"),
    always("ignite-*", "org.apache.ignite"),
    always("activemq-*", "org.apache.activemq"),
];

/// Group and name of an artifact, if everybody knows it.
pub(super) fn lookup<'a>(artifact: &'a str, version: &str) -> Option<(&'static str, &'a str)> {
    let digits = version.split(|it: char| !it.is_ascii_digit()).next();
    let major: u32 = digits.and_then(|it| it.parse().ok()).unwrap_or(0);
    let known = KNOWN.iter().find(|it| {
        let is_named = match it.artifact.strip_suffix('*') {
            Some(start) => artifact.starts_with(start),
            None => artifact == it.artifact,
        };
        is_named && major < it.below
    })?;
    Some((known.group, known.renamed.unwrap_or(artifact)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_may_change_with_the_version() {
        let check = |artifact, version| lookup(artifact, version).map(|it| it.0);
        assert_eq!(check("spring-core", "5.3.0"), Some("org.springframework"));
        assert_eq!(
            check("spring-security-web", "5.7.0"),
            Some("org.springframework.security")
        );
        assert_eq!(check("okhttp", "2.7.5"), Some("com.squareup.okhttp"));
        assert_eq!(check("okhttp", "4.9.0"), Some("com.squareup.okhttp3"));
        assert_eq!(check("log4j", "1.2.17"), Some("log4j"));
        assert_eq!(
            check("log4j-core", "2.14.1"),
            Some("org.apache.logging.log4j")
        );
        assert_eq!(check("my-app", "1"), None);
        assert_eq!(
            lookup("catalina", "9.0.1"),
            Some(("org.apache.tomcat", "tomcat-catalina"))
        );
    }

    #[test]
    fn every_line_can_be_reached() {
        for known in KNOWN {
            let artifact = known.artifact.replace('*', "x");
            let major = known.below.saturating_sub(1).to_string();
            let found = lookup(&artifact, &major).map(|it| it.0);
            assert_eq!(found, Some(known.group), "{artifact} {major}");
        }
    }
}
