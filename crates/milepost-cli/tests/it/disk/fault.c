/* A disk that fails or is cut off at the n-th sync, for tests: to be preloaded into a process.
 *
 * FAULT_AT=N        the N-th fdatasync or fsync of the process is the one.
 * FAULT_DURABLE=DIR after each sync before that, what is durable of the synced file is kept in DIR.
 *                   At the N-th the process is killed before anything of it is kept: DIR then holds
 *                   what a disk holds that loses all that was not synced.
 * Without DIR       the N-th sync and all later ones fail with EIO.
 * FAULT_COUNT=FILE  how many syncs there were, written over at each of them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static long seen;

static void keep(int from, const char *directory) {
    char link[64], path[4096], copy[8192], part[8200], bytes[1 << 16];
    struct stat about;
    snprintf(link, sizeof link, "/proc/self/fd/%d", from);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0 || fstat(from, &about) != 0 || !S_ISREG(about.st_mode)) return;
    path[length] = 0;
    snprintf(copy, sizeof copy, "%s/%s", directory, strrchr(path, '/') + 1);
    snprintf(part, sizeof part, "%s.part", copy);
    /* Not opened again where that isn't needed: closing a file lets go of a process's locks on it. */
    int is_readable = (fcntl(from, F_GETFL) & O_ACCMODE) != O_WRONLY;
    int source = is_readable ? from : open(path, O_RDONLY);
    int to = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    off_t at = 0;
    ssize_t got;
    while ((got = pread(source, bytes, sizeof bytes, at)) > 0) {
        if (pwrite(to, bytes, got, at) != got) abort();
        at += got;
    }
    if (got < 0 || to < 0 || rename(part, copy) != 0) abort();
    close(to);
    if (!is_readable) close(source);
}

static int synced(int descriptor, const char *name) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *at = getenv("FAULT_AT"), *directory = getenv("FAULT_DURABLE"), *count = getenv("FAULT_COUNT");
    pthread_mutex_lock(&turn);
    seen++;
    if (count) {
        FILE *file = fopen(count, "w");
        if (file) { fprintf(file, "%ld\n", seen); fclose(file); }
    }
    if (at && seen >= atol(at)) {
        if (directory) kill(getpid(), SIGKILL);
        pthread_mutex_unlock(&turn);
        errno = EIO;
        return -1;
    }
    int outcome = real(descriptor);
    if (outcome == 0 && directory) keep(descriptor, directory);
    pthread_mutex_unlock(&turn);
    return outcome;
}

int fdatasync(int descriptor) { return synced(descriptor, "fdatasync"); }
int fsync(int descriptor) { return synced(descriptor, "fsync"); }
