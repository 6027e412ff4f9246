#include "cli/picture_names.h"

#include "cli/command.h"
#include "cli/lines.h"
#include "cli/run_folder.h"
#include "cli/shown.h"

#include <errno.h>
#include <fts.h>
#include <glob.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct cli_names {
    char **names; // of the words
    size_t count, room, next;
    int failed;
    rn_bad_images bad_images;
    FILE *list; // NULL: words
    const char *list_name;
    int separator;
    int wake; // becomes readable where nobody waits for the list any more; -1: the list is no input
};

static const char standard_input[] = "-";
static const size_t largest_picture = (size_t)1 << 31;

static rn_status add_name(cli_names *names, const char *name)
{
    if (names->count == names->room) {
        size_t more = names->room * 2 + 16;
        char **larger = realloc(names->names, more * sizeof *larger);
        if (larger == NULL)
            return rn_error(RN_ENOMEM, "no memory for %zu names", more);
        names->names = larger;
        names->room = more;
    }
    names->names[names->count] = strdup(name);
    if (names->names[names->count] == NULL)
        return rn_error(RN_ENOMEM, "no memory for a name");
    names->count++;
    return RN_OK;
}

static bool looks_like_picture(const char *name)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".ppm", ".pgm", ".pnm", ".webp"};

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (cli_ends_in(name, endings[i]))
            return true;
    return false;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

// Named and counted, or with --bad-images stop the end.
static rn_status blame(cli_names *names, const char *path, const char *reason)
{
    rn_status st = rn_error(RN_EIO, "cannot read '%s': %s", path, reason);

    if (names->bad_images == RN_BAD_IMAGES_STOP)
        return st;
    fprintf(stderr, "resnet: error: %s\n", rn_error_message());
    names->failed++;
    return RN_OK;
}

static rn_status add_entry(cli_names *names, const FTSENT *entry)
{
    const bool picture = looks_like_picture(entry->fts_name);

    switch (entry->fts_info) {
    case FTS_F:
        return picture ? add_name(names, entry->fts_path) : RN_OK;
    case FTS_SLNONE:
        return picture ? blame(names, entry->fts_path, "the link leads nowhere") : RN_OK;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS: // whatever it is
        return blame(names, entry->fts_path, strerror(entry->fts_errno));
    default:
        return RN_OK;
    }
}

// Links are followed; one that leads back up is not.
static rn_status add_tree(cli_names *names, FTS *tree, const char *folder)
{
    rn_status st = RN_OK;
    FTSENT *entry;

    errno = 0; // fts_read() tells of the end by it
    while (st == RN_OK && (entry = fts_read(tree)) != NULL) {
        if (entry->fts_level > 0 && entry->fts_name[0] == '.')
            fts_set(tree, entry, FTS_SKIP);
        else
            st = add_entry(names, entry);
        errno = 0;
    }
    if (st == RN_OK && errno != 0)
        st = rn_error(RN_EIO, "cannot read '%s': %s", folder, strerror(errno));
    return st;
}

static rn_status add_folder(cli_names *names, char *folder)
{
    char *roots[] = {folder, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    rn_status st;

    if (tree == NULL)
        return rn_error(RN_EIO, "cannot read '%s': %s", folder, strerror(errno));
    st = add_tree(names, tree, folder);
    fts_close(tree);
    return st;
}

static rn_status add_pattern(cli_names *names, const char *pattern)
{
    rn_status st = RN_OK;
    glob_t found = {0};
    int result = glob(pattern, 0, NULL, &found);

    if (result == GLOB_NOSPACE)
        st = rn_error(RN_ENOMEM, "no memory for the files of '%s'", pattern);
    for (size_t i = 0; result == 0 && i < found.gl_pathc && st == RN_OK; i++)
        st = add_name(names, found.gl_pathv[i]);
    globfree(&found);
    return st;
}

static rn_status add_word(cli_names *names, char *word)
{
    rn_status st;
    size_t before = names->count;
    int failed = names->failed;
    bool folder = cli_is_folder(word);

    if (folder)
        st = add_folder(names, word);
    else if (!cli_is_file(word) && strpbrk(word, "*?[") != NULL)
        st = add_pattern(names, word);
    else
        return add_name(names, word);
    if (st == RN_OK && names->count == before && names->failed == failed) {
        rn_error(RN_ENOTFOUND, folder ? "folder '%s' holds no pictures" : "no file matches '%s'",
                 word);
        fprintf(stderr, "resnet: error: %s\n", rn_error_message());
        names->failed++;
    }
    return st;
}

// The end of the list is also where nobody waits for more.
static ssize_t read_input(void *context, char *bytes, size_t room)
{
    const cli_names *names = context;
    struct pollfd sources[] = {{.fd = names->wake, .events = POLLIN},
                               {.fd = STDIN_FILENO, .events = POLLIN}};
    ssize_t got;

    do {
        if (poll(sources, 2, -1) > 0 && sources[0].revents != 0)
            return 0;
        got = read(STDIN_FILENO, bytes, room);
    } while (got < 0 && errno == EINTR);
    return got;
}

// A thread in getc(stdin) could not be told to leave it.
static rn_status open_input(cli_names *names)
{
    names->wake = eventfd(0, EFD_CLOEXEC);
    if (names->wake < 0)
        return rn_error(RN_EIO, "cannot wait for standard input: %s", strerror(errno));
    names->list = fopencookie(names, "r", (cookie_io_functions_t){.read = read_input});
    return names->list != NULL ? RN_OK : rn_error(RN_ENOMEM, "no memory for a list of names");
}

static rn_status open_list(cli_names *names, const char *path)
{
    names->list_name = path;
    if (strcmp(path, standard_input) == 0)
        return open_input(names);
    if (cli_is_folder(path))
        return rn_error(RN_EIO, "'%s' is a folder, expected a file of names", path);
    names->list = fopen(path, "r");
    if (names->list == NULL)
        return rn_error(errno == ENOENT ? RN_ENOTFOUND : RN_EIO, "cannot open '%s': %s", path,
                        strerror(errno));
    return RN_OK;
}

static rn_status check_words(const cli_arguments *args, int first)
{
    int inputs = 0;

    if (cli_given(args, "files-from") && args->word_count > first)
        return rn_error(RN_EINVAL, "'--files-from' and the word '%s' exclude each other",
                        args->words[first]);
    if (cli_flag(args, "null") && !cli_given(args, "files-from"))
        return rn_error(RN_EINVAL, "'--null' is given without '--files-from'");
    if (!cli_given(args, "files-from") && args->word_count == first)
        return rn_error(RN_EINVAL, "'resnet %s' expects %s, found only '%s'", args->command->name,
                        args->command->usage, args->words[first - 1]);
    for (int i = first; i < args->word_count; i++)
        inputs += strcmp(args->words[i], standard_input) == 0;
    if (inputs > 1)
        return rn_error(RN_EINVAL, "standard input ('-') is given %d times, expected once", inputs);
    return RN_OK;
}

rn_status cli_names_open(cli_names **out, const cli_arguments *args, int first)
{
    rn_status st;
    cli_names *names = NULL;

    *out = NULL;
    RN_TRY(check_words(args, first));
    names = calloc(1, sizeof *names);
    if (names == NULL)
        return rn_error(RN_ENOMEM, "no memory for names");
    names->wake = -1;
    names->bad_images = cli_bad_images(args);
    names->separator = cli_flag(args, "null") ? '\0' : '\n';
    if (cli_given(args, "files-from"))
        RN_TRY(open_list(names, cli_text(args, "files-from")));
    for (int i = first; i < args->word_count; i++)
        RN_TRY(add_word(names, args->words[i]));
    *out = names;
    names = NULL; // now the caller's
out:
    cli_names_free(names);
    return st;
}

void cli_names_free(cli_names *names)
{
    if (names == NULL)
        return;
    for (size_t i = names->next; i < names->count; i++)
        free(names->names[i]);
    free(names->names);
    if (names->list != NULL)
        fclose(names->list);
    if (names->wake >= 0)
        close(names->wake);
    free(names);
}

void cli_names_stop(const cli_names *names)
{
    if (names != NULL && names->wake >= 0)
        eventfd_write(names->wake, 1);
}

rn_status cli_names_spare(const cli_names *names, const char *option, const char *path)
{
    for (size_t i = names->next; i < names->count; i++)
        if (cli_same_file(names->names[i], path))
            return rn_error(RN_EINVAL, "option '--%s' would replace the picture '%s' itself",
                            option, names->names[i]);
    return RN_OK;
}

size_t cli_names_count(const cli_names *names)
{
    return names->list != NULL ? SIZE_MAX : names->count;
}

int cli_names_failed(const cli_names *names)
{
    return names->failed;
}

int cli_names_width(const cli_names *names)
{
    const int most = 60;
    int width = 0;

    for (size_t i = names->next; i < names->count && width < most; i++)
        width = cli_shown_width(&names->names[i], 1, width);
    return width < most ? width : most;
}

int cli_names_batch(const cli_names *names, const cli_arguments *args)
{
    int64_t batch = cli_integer(args, "batch");

    if (names->list == NULL && names->count < (size_t)batch)
        batch = (int64_t)names->count;
    return batch < 1 ? 1 : (int)batch;
}

// Empty lines are passed over.
static rn_status next_line(cli_names *names, char **name)
{
    rn_status st;

    do {
        free(*name);
        st = cli_line_read(name, names->list, names->separator);
    } while (st == RN_OK && *name != NULL && **name == '\0');
    return st == RN_OK ? st : rn_error_prefix(st, "'%s'", names->list_name);
}

static rn_status next_name(char **name, void *context)
{
    cli_names *names = context;

    *name = NULL;
    if (names->list != NULL)
        return next_line(names, name);
    if (names->next < names->count)
        *name = names->names[names->next++]; // now the caller's
    return RN_OK;
}

static rn_status read_all(char **bytes, size_t *size, FILE *file)
{
    size_t room = 0, got;

    *bytes = NULL;
    *size = 0;
    do {
        if (*size == room) {
            room = room * 2 + 65536;
            char *larger = room <= largest_picture ? realloc(*bytes, room) : NULL;
            if (larger == NULL)
                return rn_error(RN_ENOMEM, "no memory for a picture of more than %zu bytes", *size);
            *bytes = larger;
        }
        got = fread(*bytes + *size, 1, room - *size, file);
        *size += got;
    } while (got > 0);
    if (ferror(file))
        return rn_error(RN_EIO, "cannot read: %s", strerror(errno));
    return RN_OK;
}

static rn_status open_picture(rn_image **out, const char *name, void *context)
{
    const cli_names *names = context;
    char *bytes;
    size_t size;

    if (names->list != NULL || strcmp(name, standard_input) != 0)
        return rn_image_open(out, name);
    *out = NULL;
    rn_status st = read_all(&bytes, &size, stdin);
    if (st == RN_OK)
        st = rn_image_decode(out, (const uint8_t *)bytes, size, NULL);
    free(bytes);
    return st == RN_OK ? st : rn_error_prefix(st, "standard input");
}

rn_status cli_pictures_start(rn_pictures **out, cli_names *names, const cli_arguments *args,
                             const rn_preprocess *preprocess, bool keep)
{
    int workers = (int)cli_integer(args, "workers");
    rn_pictures_options options = {
        .workers = workers,
        .ahead = cli_names_batch(names, args) + workers,
        .keep = keep,
        .next = next_name,
        .open = open_picture,
        .context = names,
    };

    return rn_pictures_create(out, preprocess, &options);
}
