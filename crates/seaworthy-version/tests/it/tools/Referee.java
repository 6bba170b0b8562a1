import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

import org.apache.maven.artifact.versioning.ComparableVersion;

/** Answers tab-separated pairs with Maven's comparison. */
public class Referee {
    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        StringBuilder answers = new StringBuilder();
        String line;
        while ((line = in.readLine()) != null) {
            int tab = line.indexOf('\t');
            String a = line.substring(0, tab);
            String b = line.substring(tab + 1);
            if (a.isEmpty() || b.isEmpty()) {
                // Maven takes nothing for a version; a package without one has none for us.
                answers.append("E\n");
                continue;
            }
            int order = new ComparableVersion(a).compareTo(new ComparableVersion(b));
            answers.append(Integer.signum(order)).append('\n');
        }
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        out.print(answers);
        out.flush();
    }
}
