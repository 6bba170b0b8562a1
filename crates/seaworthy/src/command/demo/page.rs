//! The page that a demonstration prints.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::client::{Finding, Image, Judged, Sought};

/// What is searched for over all images.
pub(super) const SOUGHT: &str = "CVE-2023-4911";

/// Columns of a package with its version: the samples have none that needs more.
const PACKAGE: usize = 24;

/// Findings that are shown of one image.
const SHOWN: usize = 3;

/// What happened.
pub(super) struct Page<'a> {
    pub(super) colour: bool,
    pub(super) took: Duration,
    pub(super) address: SocketAddr,
    pub(super) judged: &'a [Judged],
    pub(super) found: &'a Sought,
}

impl Page<'_> {
    /// What was pushed and what came of it.
    pub(super) fn top(&self) -> String {
        let mut text = String::new();
        let title = self.paint("Seaworthy demo", Style::new().bold());
        let _ = writeln!(
            text,
            "{title}: a registry that scans what you push. No setup, no network, and\n\
             nothing stays behind.\n"
        );
        for judged in self.judged {
            self.sample(&mut text, judged);
        }
        self.summary(&mut text);
        text
    }

    fn sample(&self, text: &mut String, judged: &Judged) {
        let name = self.paint(&judged.name, Style::new().bold());
        let about = self.faint(judged.about);
        let _ = writeln!(text, "{name}  {about}");
        let _ = writeln!(
            text,
            "  pushed in {}, verdict {} later",
            time(judged.pushed_in),
            time(judged.verdict_in)
        );
        for image in &judged.images {
            self.image(text, image, judged.images.len() > 1);
        }
        text.push('\n');
    }

    fn image(&self, text: &mut String, image: &Image, is_one_of_many: bool) {
        let verdict = image.verdict.as_deref().unwrap_or(&image.state);
        let painted = self.verdict(verdict);
        let platform = match &image.platform {
            Some(platform) if is_one_of_many => format!("  {platform}"),
            _ => String::new(),
        };
        let _ = writeln!(text, "  {painted}{platform}  {}", counts(image));
        for finding in image.findings.iter().take(SHOWN) {
            self.finding(text, finding);
        }
        let more = image.findings.len().saturating_sub(SHOWN);
        if more > 0 {
            let line = format!("and {more} more");
            let _ = writeln!(text, "    {}", self.faint(&line));
        }
    }

    fn finding(&self, text: &mut String, finding: &Finding) {
        let severity = self.severity(&finding.severity);
        // A group before the name tells nothing more to people.
        let name = finding.package.rsplit(':').next().unwrap_or_default();
        let package = format!("{name} {}", finding.version);
        let fix = match &finding.fixed_in {
            Some(version) => format!("fixed in {version}"),
            None => "no fix".to_owned(),
        };
        let exploited = if finding.is_exploited {
            self.paint("  exploited", AnsiColor::Red.on_default())
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "    {severity}  {:<14}  {:<PACKAGE$}  {fix}{exploited}",
            seaworthy_report::clean(&finding.vulnerability),
            seaworthy_report::clean(&package),
        );
    }

    fn summary(&self, text: &mut String) {
        let images: usize = self.judged.iter().map(|it| it.images.len()).sum();
        let _ = writeln!(
            text,
            "{images} images were pushed and judged within {} of the start.",
            time(self.took)
        );
        let _ = writeln!(
            text,
            "Where is {SOUGHT}? In {}. Asked and answered in {}.",
            self.found.repositories.join(" and "),
            time(self.found.took)
        );
        let _ = writeln!(
            text,
            "A repaired image is `unknown` and no `pass` here: this program carries a small starter\n\
             edition, which can fail an image and never pass one. `seaworthy db update` fetches all.\n"
        );
    }

    /// What to do next, when the server is gone.
    pub(super) fn end_once(&self) -> String {
        let bold = |command: &str| self.paint(command, Style::new().bold());
        format!(
            "The registry was at http://{}. It has ended, and its folder is gone.\n\n\
             Try next\n  {}          the same, and it stays until Ctrl-C\n  \
             {}         your own registry\n  \
             {}    one image, without a server\n",
            self.address,
            bold("seaworthy demo"),
            bold("seaworthy serve"),
            bold("seaworthy scan IMAGE"),
        )
    }

    /// What to do next, while it serves.
    pub(super) fn end(&self, secret: &str, password: &str, scratch: &str) -> String {
        let bold = |command: &str| self.paint(command, Style::new().bold());
        let address = self.address;
        let mut text = String::new();
        let _ = writeln!(text, "{}  http://{address}", bold("The registry"));
        let _ = writeln!(text, "  user   demo    password  {secret}");
        let _ = writeln!(
            text,
            "  user   admin   password  {password}   good once: it must be changed then"
        );
        let _ = writeln!(text, "  data   {scratch}\n");
        let _ = writeln!(text, "{}", bold("Try next"));
        for command in [
            format!("docker login --username demo {address}"),
            format!("docker tag IMAGE {address}/mine/app && docker push {address}/mine/app"),
            format!("curl --user demo http://{address}/api/v1/repositories/shop~checkout/tags"),
            format!("curl --user demo 'http://{address}/api/v1/search?vulnerability={SOUGHT}'"),
        ] {
            let _ = writeln!(text, "  {command}");
        }
        let _ = writeln!(text, "\nCtrl-C ends it and removes the folder.");
        text
    }

    fn verdict(&self, word: &str) -> String {
        let colour = match word {
            "pass" => AnsiColor::Green,
            "fail" => AnsiColor::Red,
            _ => AnsiColor::Yellow,
        };
        let style = colour.on_default().bold();
        self.paint(&format!("{:<8}", word.to_uppercase()), style)
    }

    fn severity(&self, word: &str) -> String {
        let style = match word {
            "critical" => AnsiColor::Red.on_default().bold(),
            "high" => AnsiColor::Red.on_default(),
            "medium" => AnsiColor::Yellow.on_default(),
            _ => Style::new(),
        };
        self.paint(&format!("{word:<8}"), style)
    }

    fn faint(&self, text: &str) -> String {
        self.paint(text, Style::new().dimmed())
    }

    fn paint(&self, text: &str, style: Style) -> String {
        if self.colour {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// Such as `3 packages: 2 critical, 1 high`.
fn counts(image: &Image) -> String {
    let counted: Vec<String> = ["critical", "high", "medium", "low"]
        .into_iter()
        .filter_map(|word| {
            let count = image
                .findings
                .iter()
                .filter(|finding| finding.severity == word)
                .count();
            (count > 0).then(|| format!("{count} {word}"))
        })
        .collect();
    let packages = match image.packages {
        1 => "1 package".to_owned(),
        many => format!("{many} packages"),
    };
    if counted.is_empty() {
        format!("{packages}: nothing known")
    } else {
        format!("{packages}: {}", counted.join(", "))
    }
}

fn time(took: Duration) -> String {
    if took < Duration::from_secs(2) {
        format!("{} ms", took.as_millis().max(1))
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}
