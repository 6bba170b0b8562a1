/* Answers tab-separated pairs with libdpkg's strict parse and its comparison. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dpkg/dpkg.h>
#include <dpkg/version.h>
#include <dpkg/dpkg-db.h>

int main(void) {
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	while ((length = getline(&line, &room, stdin)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		char *second = strchr(line, '\t');
		if (!second)
			return 1;
		*second++ = '\0';
		struct dpkg_version a, b;
		struct dpkg_error error = DPKG_ERROR_INIT;
		/* Warnings count as errors: the syntax is bad either way. */
		if (parseversion(&a, line, &error) < 0 || parseversion(&b, second, &error) < 0) {
			puts("E");
			continue;
		}
		int order = dpkg_version_compare(&a, &b);
		puts(order < 0 ? "-1" : order > 0 ? "1" : "0");
	}
	return 0;
}
