/* A server that loads the MariaDB plugin and does nothing else: it stands for the database where a database would hide
 * what the plugin does to its host. Written from the description of the interface, and knows nothing of KMIP.
 *
 *   host LIBRARY start  N [OPTION=VALUE…]    loads and unloads N times
 *   host LIBRARY keys   N [OPTION=VALUE…]    reads keys 1 to N, cold and then from memory
 *   host LIBRARY ask    N [OPTION=VALUE…]    asks for keys 1 to N: `key ID VERSION`, or `key ID none`
 *   host LIBRARY follow N [OPTION=VALUE…]    the same for each line of its stdin, with `end` after it
 *   host LIBRARY misuse N [OPTION=VALUE…]    asks what a server never would, for N rounds in several threads at once
 *
 * Options are named without their prefix. Lines of the error log go to stdout, as `log SEVERITY text`; figures follow
 * as `NAME NUMBER…`. Ends with 0, with 1 when the plugin refuses to start, with 2 when it breaks the interface. */

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NO_KEY (~0u)
#define TOO_SMALL 100u
#define KEY_BYTES_MAX 32u
#define THREADS 4
/* Before counting: what a library makes once is made by then. */
#define WARM_UP 20

struct encryption {
  int interface_version;
  unsigned (*latest)(unsigned id);
  unsigned (*key)(unsigned id, unsigned version, unsigned char *key, unsigned *length);
  void *crypt[5];
};

struct variable {
  int flags;
  const char *name, *comment;
  void *check, *update;
  union {
    struct { char **value; char *initial; } text;
    struct { unsigned long *value, initial, least, most, step; } number;
    struct { char *value, initial; } truth;
  } of;
};

struct plugin {
  int kind;
  struct encryption *info;
  const char *name, *author, *description;
  int license;
  int (*init)(void *);
  int (*deinit)(void *);
  unsigned version;
  void *status;
  struct variable **variables;
  const char *version_text;
  unsigned maturity;
};

static struct encryption *keys;

#define MUST(what) ((what) ? (void)0 : broken(#what, __LINE__))
static void broken(const char *what, int line) {
  printf("broken line %d: %s\n", line, what);
  fflush(stdout);
  _exit(2);
}

/* The service by which plugins write to the error log. */

static void print_error(unsigned number, const char *format, unsigned long flags, ...) {
  char line[512];
  va_list arguments;
  MUST(number != 0);
  va_start(arguments, flags);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  printf("log %s %s\n", flags & 1024 ? "note" : flags & 2048 ? "warning" : "error", line);
}

static void never(unsigned number, unsigned long flags, ...) {
  (void)flags;
  MUST(number == 0);
}

static const struct {
  void (*error)(unsigned, unsigned long, ...);
  void (*printf)(unsigned, const char *, unsigned long, ...);
  void (*printv)(unsigned, const char *, unsigned long, va_list);
} service = {never, print_error, NULL};

static struct plugin *load(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    printf("broken %s\n", dlerror());
    exit(2);
  }
  int *interface = dlsym(library, "_maria_plugin_interface_version_");
  int *size = dlsym(library, "_maria_sizeof_struct_st_plugin_");
  struct plugin *plugin = dlsym(library, "_maria_plugin_declarations_");
  const void **log = dlsym(library, "my_print_error_service");
  MUST(interface && *interface >> 8 == 1 && *interface <= 0x010f);
  MUST(size && *size == sizeof *plugin && plugin && plugin[1].kind == 0 && plugin[1].info == NULL);
  MUST(plugin->kind == 9 && plugin->info->interface_version == 0x0300);
  MUST(log && *log == (void *)0x0100);
  *log = &service;
  keys = plugin->info;
  return plugin;
}

/* The server puts the whole name in place of the short one, and gives each variable its value. */
static void set(struct plugin *plugin, char **options) {
  for (struct variable **each = plugin->variables; *each; each++) {
    struct variable *variable = *each;
    const char *given = NULL;
    size_t length = strlen(variable->name);
    for (char **option = options; *option; option++)
      if (!strncmp(*option, variable->name, length) && (*option)[length] == '=') given = *option + length + 1;
    char *whole = NULL;
    MUST(asprintf(&whole, "%s_%s", plugin->name, variable->name) > 0);
    variable->name = whole;
    switch (variable->flags & 0x7f) {
      case 1: *variable->of.truth.value = given ? !strcmp(given, "ON") : variable->of.truth.initial; break;
      case 3: *variable->of.number.value = given ? strtoul(given, NULL, 10) : variable->of.number.initial; break;
      case 5: *variable->of.text.value = given ? (char *)given : variable->of.text.initial; break;
      default: MUST(!"a kind of variable that the plugin does not need");
    }
  }
}

static unsigned count(const char *directory) {
  DIR *open = opendir(directory);
  unsigned found = 0;
  MUST(open);
  while (readdir(open)) found++;
  closedir(open);
  return found;
}

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The latest version of a key and its bytes, or nothing of it. */
static int fetch(unsigned id) {
  unsigned char key[KEY_BYTES_MAX];
  unsigned length = sizeof key, version = keys->latest(id);
  return version != NO_KEY && keys->key(id, version, key, &length) == 0 && length == KEY_BYTES_MAX;
}

static int start(struct plugin *plugin, unsigned rounds) {
  unsigned threads = 0, descriptors = 0;
  size_t heap = 0;
  for (unsigned round = 0; round < rounds; round++) {
    if (round == WARM_UP) {
      threads = count("/proc/self/task"), descriptors = count("/proc/self/fd");
      heap = mallinfo2().uordblks;
    }
    if (plugin->init(NULL)) return 1;
    MUST(fetch(1));
    MUST(plugin->deinit(NULL) == 0);
    MUST(keys->latest(1) == NO_KEY);
  }
  if (rounds > WARM_UP) {
    size_t left = mallinfo2().uordblks;
    printf("threads %u %u\n", threads, count("/proc/self/task"));
    printf("descriptors %u %u\n", descriptors, count("/proc/self/fd"));
    printf("heap %zu %zu\n", heap, left);
  }
  return 0;
}

static int read_keys(struct plugin *plugin, unsigned most) {
  double began = now_ns(), latest_ns = 1e9, key_ns = 1e9;
  if (plugin->init(NULL)) return 1;
  for (unsigned id = 1; id <= most; id++) MUST(fetch(id));
  printf("cold_ms %.1f\n", (now_ns() - began) / 1e6);
  for (unsigned round = 0; round < 50; round++) {
    unsigned char key[KEY_BYTES_MAX];
    double before = now_ns();
    for (unsigned id = 1; id <= most; id++) MUST(keys->latest(id) == 1);
    double between = now_ns();
    for (unsigned id = 1; id <= most; id++) {
      unsigned length = sizeof key;
      MUST(keys->key(id, 1, key, &length) == 0);
    }
    double each = (between - before) / most;
    latest_ns = each < latest_ns ? each : latest_ns;
    each = (now_ns() - between) / most;
    key_ns = each < key_ns ? each : key_ns;
  }
  printf("latest_ns %.1f\nkey_ns %.1f\n", latest_ns, key_ns);
  return plugin->deinit(NULL);
}

static void ask_once(unsigned most) {
  for (unsigned id = 1; id <= most; id++) {
    if (fetch(id)) printf("key %u %u\n", id, keys->latest(id));
    else printf("key %u none\n", id);
  }
}

static int ask(struct plugin *plugin, unsigned most) {
  if (plugin->init(NULL)) return 1;
  ask_once(most);
  return plugin->deinit(NULL);
}

static int follow(struct plugin *plugin, unsigned most) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (plugin->init(NULL)) return 1;
  for (int character; (character = getchar()) != EOF;) {
    if (character != '\n') continue;
    ask_once(most);
    puts("end");
  }
  return plugin->deinit(NULL);
}

/* A buffer with something around it, which must stay as it was. */
static void wrong_arguments(void) {
  unsigned char around[KEY_BYTES_MAX + 2];
  unsigned length = 0, version = keys->latest(1);
  MUST(version != NO_KEY);
  MUST(keys->key(1, version, NULL, &length) == TOO_SMALL && length == KEY_BYTES_MAX);
  MUST(keys->key(1, version, NULL, &length) == 0 && length == KEY_BYTES_MAX);
  for (unsigned room = 0; room <= KEY_BYTES_MAX; room++) {
    memset(around, 0xa5, sizeof around);
    length = room;
    unsigned answer = keys->key(1, version, around + 1, &length);
    MUST(length == KEY_BYTES_MAX && answer == (room < KEY_BYTES_MAX ? TOO_SMALL : 0));
    MUST(around[0] == 0xa5 && around[KEY_BYTES_MAX + 1] == 0xa5);
    for (unsigned at = 1; room < KEY_BYTES_MAX && at <= KEY_BYTES_MAX; at++) MUST(around[at] == 0xa5);
  }
  MUST(keys->key(1, version, around, NULL) == NO_KEY);
  MUST(keys->key(1, version, NULL, NULL) == NO_KEY);
  static const unsigned nowhere[] = {0, 3, 0x7fffffff, 0x80000000, NO_KEY};
  for (unsigned at = 0; at < sizeof nowhere / sizeof *nowhere; at++) {
    length = KEY_BYTES_MAX;
    MUST(keys->latest(nowhere[at]) == NO_KEY);
    MUST(keys->key(nowhere[at], 1, around, &length) == NO_KEY);
    length = KEY_BYTES_MAX;
    MUST(keys->key(1, nowhere[at], around, &length) == NO_KEY);
  }
}

static int is_over;

/* A key, whole, or the answer that there is none: the plugin may be ending. */
static void *ask_on(void *unused) {
  (void)unused;
  while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
    unsigned char key[KEY_BYTES_MAX];
    unsigned length = sizeof key, version = keys->latest(1);
    /* valgrind runs one thread at a time: the others are to get their turn. */
    usleep(version == NO_KEY ? 2000 : 20);
    if (version == NO_KEY) continue;
    unsigned answer = keys->key(1, version, key, &length);
    MUST(answer == NO_KEY || (answer == 0 && length == KEY_BYTES_MAX));
  }
  return NULL;
}

static int misuse(struct plugin *plugin, unsigned rounds) {
  unsigned length = KEY_BYTES_MAX;
  unsigned char key[KEY_BYTES_MAX];
  pthread_t asking[THREADS];
  MUST(plugin->deinit(NULL) == 0);
  MUST(keys->latest(1) == NO_KEY && keys->key(1, 1, key, &length) == NO_KEY);
  for (unsigned each = 0; each < THREADS; each++) MUST(!pthread_create(&asking[each], NULL, ask_on, NULL));
  for (unsigned round = 0; round < rounds; round++) {
    if (plugin->init(NULL)) return 1;
    /* Twice is refused, and takes nothing from who came first. */
    MUST(plugin->init(NULL) == 1);
    MUST(fetch(1));
    if (round == 0) wrong_arguments();
    MUST(plugin->deinit(NULL) == 0 && plugin->deinit(NULL) == 0);
  }
  __atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
  for (unsigned each = 0; each < THREADS; each++) MUST(!pthread_join(asking[each], NULL));
  return 0;
}

int main(int count, char **arguments) {
  if (count < 4) return 2;
  struct plugin *plugin = load(arguments[1]);
  unsigned number = (unsigned)strtoul(arguments[3], NULL, 10);
  set(plugin, arguments + 4);
  if (!strcmp(arguments[2], "start")) return start(plugin, number);
  if (!strcmp(arguments[2], "keys")) return read_keys(plugin, number);
  if (!strcmp(arguments[2], "follow")) return follow(plugin, number);
  if (!strcmp(arguments[2], "ask")) return ask(plugin, number);
  if (!strcmp(arguments[2], "misuse")) return misuse(plugin, number);
  return 2;
}
