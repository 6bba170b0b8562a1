//! Every source, its parts and its reader.

use super::{
    Content, Intake, VendorError, arch, csaf, debian, echo, node, nvd, osv_files, oval, photon,
    php, ruby, secdb, updateinfo,
};

/// One vendor's feed.
pub(crate) struct Feed {
    /// Such as `debian/tracker`; advisories carry it.
    pub(crate) id: &'static str,
    /// The parts of a mirror, below `vendor/`, each with its address upstream.
    /// A mirror may lack any of them.
    pub(crate) parts: &'static [Part],
    /// Reads one part.
    pub(crate) read: fn(&mut dyn Content, &str, &mut Intake<'_>) -> Result<(), VendorError>,
}

/// One file of a feed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    /// Its path below `vendor/` in a mirror.
    pub(crate) path: &'static str,
    /// Where the vendor publishes it.
    pub(crate) upstream: &'static str,
}

/// A feed whose archive has another name each time it is made, with lists beside
/// it of what changed and what was deleted since.
pub(crate) struct Archived {
    /// Its parts are the lists that its reader reads before the archive.
    pub(crate) feed: Feed,
    /// The folder that has everything.
    pub(crate) folder: Part,
    /// The text that names the archive.
    pub(crate) latest: &'static str,
    /// The list of documents that changed.
    pub(crate) changes: &'static str,
}

/// Every such feed.
pub(crate) const ARCHIVED: &[Archived] = &[Archived {
    feed: Feed {
        id: "redhat/vex",
        parts: &[Part {
            path: "redhat/csaf/v2/vex/deletions.csv",
            upstream: "https://security.access.redhat.com/data/csaf/v2/vex/deletions.csv",
        }],
        read: csaf::read_red_hat,
    },
    folder: Part {
        path: "redhat/csaf/v2/vex",
        upstream: "https://security.access.redhat.com/data/csaf/v2/vex",
    },
    latest: "archive_latest.txt",
    changes: "changes.csv",
}];

/// A feed of repositories of packages, whose index tells what the list of updates
/// is called today.
pub(crate) struct Indexed {
    /// It has no other parts.
    pub(crate) feed: Feed,
    /// The folders that have the repositories. The address is the repository's own,
    /// or that of a `mirror.list` that tells it.
    pub(crate) repositories: &'static [Part],
}

/// Every such feed.
pub(crate) const INDEXED: &[Indexed] = &[
    Indexed {
        feed: Feed {
            id: "amazon/updateinfo",
            parts: &[],
            read: updateinfo::amazon,
        },
        repositories: updateinfo::AMAZON,
    },
    Indexed {
        feed: Feed {
            id: "fedora/updateinfo",
            parts: &[],
            read: updateinfo::fedora,
        },
        repositories: updateinfo::FEDORA,
    },
    Indexed {
        feed: Feed {
            id: "rocky/updateinfo",
            parts: &[],
            read: updateinfo::rocky,
        },
        repositories: updateinfo::ROCKY,
    },
];

/// Every feed that is read, one entry each.
pub(crate) const FEEDS: &[Feed] = &[
    Feed {
        id: "alpine/secdb",
        parts: secdb::ALPINE,
        read: secdb::alpine,
    },
    Feed {
        id: "azurelinux/oval",
        parts: &[
            Part {
                path: "azurelinux/azurelinux-3.0-oval.xml",
                upstream: "https://raw.githubusercontent.com/microsoft/AzureLinuxVulnerabilityData/main/azurelinux-3.0-oval.xml",
            },
            Part {
                path: "azurelinux/cbl-mariner-2.0-oval.xml",
                upstream: "https://raw.githubusercontent.com/microsoft/AzureLinuxVulnerabilityData/main/cbl-mariner-2.0-oval.xml",
            },
        ],
        read: oval::read_azure,
    },
    Feed {
        id: "arch/avg",
        parts: &[Part {
            path: "arch/all.json",
            upstream: "https://security.archlinux.org/all.json",
        }],
        read: arch::read,
    },
    Feed {
        id: "bottlerocket/updateinfo",
        parts: &[Part {
            path: "bottlerocket/updateinfo.xml.gz",
            upstream: "https://advisories.bottlerocket.aws/updateinfo.xml.gz",
        }],
        read: updateinfo::bottlerocket,
    },
    Feed {
        id: "chainguard/secdb",
        parts: &[Part {
            path: "chainguard/chainguard/security.json",
            upstream: "https://packages.cgr.dev/chainguard/security.json",
        }],
        read: secdb::chainguard,
    },
    Feed {
        id: "debian/tracker",
        parts: &[Part {
            path: "debian/tracker/data/json",
            upstream: "https://security-tracker.debian.org/tracker/data/json",
        }],
        read: debian::read,
    },
    Feed {
        id: "docker/hardened-images",
        parts: &[Part {
            path: "docker-hardened-images/advisories-main.zip",
            upstream: "https://github.com/docker-hardened-images/advisories/archive/refs/heads/main.zip",
        }],
        read: osv_files::read_docker,
    },
    Feed {
        id: "nvd/cve",
        parts: nvd::PARTS,
        read: nvd::read,
    },
    Feed {
        id: "minimos/secdb",
        parts: &[Part {
            path: "minimos/advisories/secdb/security.json",
            upstream: "https://packages.mini.dev/advisories/secdb/security.json",
        }],
        read: secdb::minimos,
    },
    Feed {
        id: "oracle/oval",
        parts: &[Part {
            path: "oracle/security/oval/com.oracle.elsa-all.xml.bz2",
            upstream: "https://linux.oracle.com/security/oval/com.oracle.elsa-all.xml.bz2",
        }],
        read: oval::read_oracle,
    },
    Feed {
        id: "photon/cve",
        parts: &[
            Part {
                path: "photon/photon_cve_metadata/cve_data_photon1.0.json",
                upstream: "https://packages.vmware.com/photon/photon_cve_metadata/cve_data_photon1.0.json",
            },
            Part {
                path: "photon/photon_cve_metadata/cve_data_photon2.0.json",
                upstream: "https://packages.vmware.com/photon/photon_cve_metadata/cve_data_photon2.0.json",
            },
            Part {
                path: "photon/photon_cve_metadata/cve_data_photon3.0.json",
                upstream: "https://packages.vmware.com/photon/photon_cve_metadata/cve_data_photon3.0.json",
            },
            Part {
                path: "photon/photon_cve_metadata/cve_data_photon4.0.json",
                upstream: "https://packages.vmware.com/photon/photon_cve_metadata/cve_data_photon4.0.json",
            },
            Part {
                path: "photon/photon_cve_metadata/cve_data_photon5.0.json",
                upstream: "https://packages.vmware.com/photon/photon_cve_metadata/cve_data_photon5.0.json",
            },
        ],
        read: photon::read,
    },
    Feed {
        id: "photon/oval",
        parts: &[
            Part {
                path: "photon/photon_oval_definitions/com.vmware.phsa-photon3.xml.gz",
                upstream: "https://packages.vmware.com/photon/photon_oval_definitions/com.vmware.phsa-photon3.xml.gz",
            },
            Part {
                path: "photon/photon_oval_definitions/com.vmware.phsa-photon4.xml.gz",
                upstream: "https://packages.vmware.com/photon/photon_oval_definitions/com.vmware.phsa-photon4.xml.gz",
            },
            Part {
                path: "photon/photon_oval_definitions/com.vmware.phsa-photon5.xml.gz",
                upstream: "https://packages.vmware.com/photon/photon_oval_definitions/com.vmware.phsa-photon5.xml.gz",
            },
            Part {
                path: "photon/photon_oval_definitions/com.vmware.phsa-photon1.xml.gz",
                upstream: "https://packages.vmware.com/photon/photon_oval_definitions/com.vmware.phsa-photon1.xml.gz",
            },
            Part {
                path: "photon/photon_oval_definitions/com.vmware.phsa-photon2.xml.gz",
                upstream: "https://packages.vmware.com/photon/photon_oval_definitions/com.vmware.phsa-photon2.xml.gz",
            },
        ],
        read: oval::read_photon,
    },
    Feed {
        id: "suse/vex",
        parts: &[Part {
            path: "suse/projects/security/csaf-vex.tar.bz2",
            upstream: "https://ftp.suse.com/pub/projects/security/csaf-vex.tar.bz2",
        }],
        read: csaf::read_suse,
    },
    Feed {
        id: "ubuntu/osv",
        parts: &[Part {
            path: "ubuntu/osv/osv-all.tar.xz",
            upstream: "https://security-metadata.canonical.com/osv/osv-all.tar.xz",
        }],
        read: osv_files::read_ubuntu,
    },
    Feed {
        id: "wolfi/secdb",
        parts: &[Part {
            path: "wolfi/os/security.json",
            upstream: "https://packages.wolfi.dev/os/security.json",
        }],
        read: secdb::wolfi,
    },
    Feed {
        id: "echo/data",
        parts: &[Part {
            path: "echo/data.json",
            upstream: "https://advisory.echohq.com/data.json",
        }],
        read: echo::read,
    },
    Feed {
        id: "friendsofphp/database",
        parts: &[Part {
            path: "friendsofphp/security-advisories-master.zip",
            upstream: "https://github.com/FriendsOfPHP/security-advisories/archive/refs/heads/master.zip",
        }],
        read: php::read,
    },
    Feed {
        id: "nodejs/core",
        parts: &[Part {
            path: "nodejs/security-wg/vuln/core/index.json",
            upstream: "https://raw.githubusercontent.com/nodejs/security-wg/main/vuln/core/index.json",
        }],
        read: node::read,
    },
    Feed {
        id: "rubysec/database",
        parts: &[Part {
            path: "rubysec/ruby-advisory-db-master.zip",
            upstream: "https://github.com/rubysec/ruby-advisory-db/archive/refs/heads/master.zip",
        }],
        read: ruby::read,
    },
];
