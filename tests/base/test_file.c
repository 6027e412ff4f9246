// Files: bounded reading, and writing that leaves the old file or the whole new one.
#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file_size_limit.h"

static char start[4096]; // where the program was started

static int enter_fresh_folder(void **state)
{
    static char folder[64];

    strcpy(folder, "/tmp/resnet-file-XXXXXX");
    *state = mkdtemp(folder);
    return *state == NULL || getcwd(start, sizeof start) == NULL || chdir(folder) != 0;
}

static int remove_folder(void **state)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", (const char *)*state);
    return chdir(start) != 0 || system(command) != 0;
}

static int entries(const char *folder)
{
    int count = 0;
    DIR *stream = opendir(folder);

    assert_non_null(stream);
    while (readdir(stream) != NULL)
        count++;
    closedir(stream);
    return count - 2; // "." and ".."
}

static void put(const char *path, const char *text)
{
    assert_int_equal(rn_file_write_atomic(path, text, strlen(text)), RN_OK);
}

static void assert_holds(const char *path, const char *expected)
{
    char *data = NULL;
    size_t size = 0;

    assert_int_equal(rn_file_read(&data, &size, path, 1 << 20), RN_OK);
    assert_int_equal(size, strlen(expected));
    assert_string_equal(data, expected); // with the NUL that the size does not count
    rn_free(data);
}

static void assert_message_has(const char *part)
{
    if (strstr(rn_error_message(), part) == NULL)
        fail_msg("'%s' is not in '%s'", part, rn_error_message());
}

static void what_is_written_is_read(void **state)
{
    uint64_t bytes = 99;

    (void)state;
    put("a", "some text");
    assert_holds("a", "some text");
    assert_int_equal(rn_file_size(&bytes, "a"), RN_OK);
    assert_int_equal(bytes, 9);
    put("a", "");
    assert_holds("a", "");
    assert_int_equal(entries("."), 1);
}

static void the_limit_is_exact(void **state)
{
    char *data = NULL;
    size_t size = 0;

    (void)state;
    put("a", "12345");
    assert_int_equal(rn_file_read(&data, &size, "a", 5), RN_OK);
    rn_free(data);
    assert_int_equal(rn_file_read(&data, &size, "a", 4), RN_EFORMAT);
    assert_string_equal(rn_error_message(), "'a' has 5 bytes, expected at most 4");
    assert_null(data);
    assert_int_equal(size, 0);
}

static void only_regular_files_are_read(void **state)
{
    static const struct {
        const char *path;
        rn_status status;
        const char *part;
    } cases[] = {
        {"missing", RN_ENOTFOUND, "cannot open 'missing': No such file"},
        {"folder", RN_EIO, "'folder' is a folder"},
        {"fifo", RN_EIO, "'fifo' is a pipe or device"},
        {"/dev/zero", RN_EIO, "'/dev/zero' is a pipe or device"},
        {"file/below", RN_EIO, "cannot open 'file/below': Not a directory"},
        {"loop", RN_EIO, "cannot open 'loop'"},
        {"", RN_ENOTFOUND, "cannot open ''"},
    };

    (void)state;
    assert_int_equal(mkdir("folder", 0777), 0);
    assert_int_equal(mkfifo("fifo", 0666), 0);
    assert_int_equal(symlink("loop", "loop"), 0);
    put("file", "x");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *data = start;
        size_t size = 99;
        uint64_t bytes = 99;
        assert_int_equal(rn_file_read(&data, &size, cases[i].path, 100), cases[i].status);
        assert_message_has(cases[i].part);
        assert_null(data);
        assert_int_equal(size, 0);
        assert_int_equal(rn_file_size(&bytes, cases[i].path), cases[i].status);
        assert_message_has(cases[i].part);
        assert_int_equal(bytes, 0);
    }
}

// Each is the file "a/b/c", or nothing.
static void paths_of_strangers_lead_down(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int error; // 0: opens
    } cases[] = {
        {"a/b/c", 0},        {"a/b/none", ENOENT}, {"none/b/c", ENOENT},  {"", EINVAL},
        {"/a/b/c", EINVAL},  {"a//b/c", EINVAL},   {"a/./b/c", EINVAL},   {"a/../a/b/c", EINVAL},
        {"a/b/c/", ENOTDIR}, {"a/b/", EINVAL},     {"a/b", EINVAL}, // a folder
        {"..", EINVAL},      {"link", ELOOP},      {"a/link/c", ENOTDIR}, {"a/b/c/d", ENOTDIR},
    };

    assert_int_equal(rn_folder_create("a/b"), RN_OK);
    put("a/b/c", "text");
    assert_int_equal(symlink("a/b/c", "link"), 0);
    assert_int_equal(symlink("b", "a/link"), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int before = dup(0); // the lowest number that is free
        close(before);
        errno = 0;
        int descriptor = rn_open_below(AT_FDCWD, cases[i].path);
        if ((descriptor >= 0) != (cases[i].error == 0) ||
            (descriptor < 0 && errno != cases[i].error))
            fail_msg("'%s': %s, expected %s", cases[i].path, strerror(errno),
                     strerror(cases[i].error));
        if (descriptor >= 0)
            close(descriptor);
        int after = dup(0);
        close(after);
        assert_int_equal(after, before); // nothing stays open
    }
}

static void existence_knows_its_kinds(void **state)
{
    (void)state;
    put("file", "x");
    assert_true(rn_file_exists("file"));
    assert_false(rn_folder_exists("file"));
    assert_true(rn_folder_exists("."));
    assert_false(rn_file_exists("."));
    assert_false(rn_file_exists("missing") || rn_folder_exists("missing"));
}

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;
    assert_int_equal(rn_folder_create("a/b//c/"), RN_OK);
    assert_true(rn_folder_exists("a/b/c"));
    assert_int_equal(rn_folder_create("a/b/c"), RN_OK);
    assert_int_equal(rn_folder_create("/"), RN_OK);
    put("file", "x");
    assert_int_equal(rn_folder_create("file"), RN_EIO);
    assert_string_equal(rn_error_message(), "cannot create folder 'file': File exists");
    assert_int_equal(rn_folder_create("file/below/it"), RN_EIO);
    assert_message_has("cannot create folder 'file/below");
    assert_int_equal(rn_folder_create(""), RN_ENOTFOUND);
    assert_holds("file", "x");
}

static void an_abandoned_file_leaves_the_old_one(void **state)
{
    rn_atomic_file file = {0};

    (void)state;
    rn_atomic_file_abandon(&file); // legal on zeroes
    put("a", "old");
    assert_int_equal(rn_atomic_file_open(&file, "a"), RN_OK);
    assert_int_equal(rn_atomic_file_write(&file, "new", 3), RN_OK);
    assert_holds("a", "old");
    rn_atomic_file_abandon(&file);
    rn_atomic_file_abandon(&file);
    assert_holds("a", "old");
    assert_int_equal(entries("."), 1);
}

static void commit_puts_the_pieces_in_place(void **state)
{
    rn_atomic_file file = {0};

    (void)state;
    put("a", "old");
    assert_int_equal(rn_atomic_file_open(&file, "a"), RN_OK);
    assert_int_equal(rn_atomic_file_write(&file, "one ", 4), RN_OK);
    assert_int_equal(rn_atomic_file_write(&file, "two", 3), RN_OK);
    assert_int_equal(rn_atomic_file_commit(&file), RN_OK);
    rn_atomic_file_abandon(&file); // legal after commit
    assert_holds("a", "one two");
    assert_int_equal(entries("."), 1);
}

static unsigned mode_of(const char *path)
{
    struct stat info;

    assert_int_equal(lstat(path, &info), 0);
    return info.st_mode & 07777;
}

static void links_stay_and_permissions_too(void **state)
{
    struct stat info;

    (void)state;
    assert_int_equal(mkdir("folder", 0777), 0);
    put("folder/real", "old");
    assert_int_equal(chmod("folder/real", 0640), 0);
    assert_int_equal(symlink("folder/real", "link"), 0);
    put("link", "new");
    assert_int_equal(lstat("link", &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_holds("folder/real", "new");
    assert_int_equal(mode_of("folder/real"), 0640);
    assert_int_equal(entries("folder"), 1);
    assert_int_equal(symlink("nowhere", "broken"), 0);
    assert_int_equal(rn_file_write_atomic("broken", "x", 1), RN_ENOTFOUND);
    assert_string_equal(rn_error_message(), "cannot write 'broken': No such file or directory");
    mode_t mask = umask(022);
    put("fresh", "x");
    umask(mask);
    assert_int_equal(mode_of("fresh"), 0644);
}

static void long_names_are_written(void **state)
{
    char name[300] = "";

    (void)state;
    memset(name, 'n', 255);
    put(name, "x");
    put(name, "y");
    assert_holds(name, "y");
    assert_int_equal(entries("."), 1);
    name[255] = 'n';
    assert_int_equal(rn_file_write_atomic(name, "x", 1), RN_EIO);
    assert_message_has("File name too long");
}

typedef rn_status opener(rn_atomic_file *file, const char *path);

// A process that is killed as it writes.
static void leave_half(opener *open, const char *path)
{
    rn_atomic_file file = {0};
    pid_t child = fork();

    if (child == 0) {
        if (open(&file, path) == RN_OK && rn_atomic_file_write(&file, "half", 4) == RN_OK)
            raise(SIGKILL);
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void killed_writers_leave_nothing(void **state)
{
    (void)state;
    leave_half(rn_atomic_file_open, "a");
    rn_folder_remove_orphans("."); // for file systems whose files have names from the start
    assert_int_equal(entries("."), 0);
    leave_half(rn_atomic_file_open_named, "a");
    assert_int_equal(entries("."), 1);
    rn_folder_remove_orphans(".");
    assert_int_equal(entries("."), 0);
    rn_folder_remove_orphans("missing");
}

static void files_in_the_making_are_no_orphans(void **state)
{
    static const char *const others[] = {"notes.md.tmp12", "a.tmp-resnet-0123abcg",
                                         ".tmp-resnet-0123abcd", "a.tmp-resnet-0123abcd1"};
    rn_atomic_file file = {0};
    char name[300] = "";

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        put(others[i], "mine");
    memset(name, 'n', 255);
    assert_int_equal(rn_atomic_file_open_named(&file, name), RN_OK);
    assert_int_equal(entries("."), 5);
    rn_folder_remove_orphans(".");
    assert_int_equal(entries("."), 5);
    assert_int_equal(rn_atomic_file_commit(&file), RN_OK);
    assert_holds(name, "");
    assert_int_equal(entries("."), 5);
}

// Root may write anywhere, so that the tests cannot rest on chmod.
static void unwritable_places_are_named(void **state)
{
    static const char *const paths[] = {"missing/a", "file/a", "/proc/a", ""};

    (void)state;
    put("file", "x");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "'%s'", paths[i]);
        assert_int_not_equal(rn_file_write_atomic(paths[i], "y", 1), RN_OK);
        assert_message_has("cannot write");
        assert_message_has(quoted);
    }
    assert_holds("file", "x");
    assert_int_equal(entries("."), 1);
}

// Renaming over a device or a pipe would replace it: /dev/null as root, for one.
static void only_regular_files_are_replaced(void **state)
{
    struct stat info;

    (void)state;
    assert_int_equal(mkdir("folder", 0777), 0);
    assert_int_equal(mkfifo("fifo", 0666), 0);
    assert_int_equal(rn_file_write_atomic("folder", "y", 1), RN_EIO);
    assert_string_equal(rn_error_message(), "'folder' is a folder, expected a regular file");
    assert_int_equal(rn_file_write_atomic("fifo", "y", 1), RN_EIO);
    assert_string_equal(rn_error_message(), "'fifo' is a pipe or device, expected a regular file");
    assert_int_equal(stat("fifo", &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
    assert_true(rn_folder_exists("folder"));
    assert_int_equal(entries("."), 2);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
    static char large[100000];

    (void)state;
    put("a", "old");
    limit_file_size(5000);
    rn_status st = rn_file_write_atomic("a", large, sizeof large);
    limit_file_size(RLIM_INFINITY);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(st, RN_EIO);
    assert_string_equal(rn_error_message(), "cannot write 'a': File too large");
    assert_holds("a", "old");
    assert_int_equal(entries("."), 1);
}

static bool fail_at_zero(size_t bytes, void *context)
{
    (void)bytes;
    return (*(int *)context)-- != 0;
}

// Which allocation fails decides what happened: before the rename nothing, after it everything.
static void failed_allocations_leave_one_whole_file(void **state)
{
    (void)state;
    for (int k = 0; k < 20; k++) {
        int left = k;
        char *data = NULL;
        size_t size = 0;
        put("a", "old");
        rn_alloc_hook_set(fail_at_zero, &left);
        rn_status written = rn_file_write_atomic("a", "newer", 5);
        left = k;
        rn_status read = rn_file_read(&data, &size, "a", 100);
        rn_alloc_hook_set(NULL, NULL);
        assert_true(written == RN_OK || written == RN_ENOMEM);
        assert_true(k == 0 ? read == RN_ENOMEM && data == NULL : read == RN_OK);
        rn_free(data);
        assert_int_equal(entries("."), 1);
        assert_holds("a", written == RN_OK ? "newer" : "old");
        if (written == RN_OK)
            return;
    }
    fail_msg("writing never succeeded");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_fresh_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read),
        TEST(the_limit_is_exact),
        TEST(only_regular_files_are_read),
        TEST(paths_of_strangers_lead_down),
        TEST(existence_knows_its_kinds),
        TEST(folders_are_made_with_their_parents),
        TEST(an_abandoned_file_leaves_the_old_one),
        TEST(commit_puts_the_pieces_in_place),
        TEST(links_stay_and_permissions_too),
        TEST(long_names_are_written),
        TEST(killed_writers_leave_nothing),
        TEST(files_in_the_making_are_no_orphans),
        TEST(unwritable_places_are_named),
        TEST(only_regular_files_are_replaced),
        TEST(a_full_disk_leaves_the_old_file),
        TEST(failed_allocations_leave_one_whole_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
