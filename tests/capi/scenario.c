// The scenario that is written in every language of the project: simulated engines, an own filter,
// 100 containers, a refusal explained, events followed, close. Prints where each container went.
//
// usage: scenario [FILE]: with FILE the placements must be those in it.
#include "check.h"
#include "swarmlib/swarm_extend.h"

enum { kContainers = 100 };

static const char kPlain[] = "{\"Image\":\"busybox\"}";
static const char kEven[] = "{\"Image\":\"busybox\",\"Labels\":{\"tier\":\"even\"}}";
static const char kNowhere[] = "{\"Image\":\"busybox\",\"Env\":[\"constraint:zone==nowhere\"]}";

static swarm_code ends_in_even_digit(void* user_data, const swarm_node_view* view, int* holds,
                                     swarm_failure* failure) {
  const char* const name = swarm_node_name(swarm_node_view_node(view));
  const size_t length = strlen(name);
  (void)user_data;
  (void)failure;
  *holds = length > 0 && strchr("02468", name[length - 1]) != NULL;
  return SWARM_OK;
}

static swarm_code even_name_rules(void* user_data, const swarm_spec* spec, swarm_rules* rules,
                                  swarm_failure* failure) {
  const char* const tier = swarm_spec_label(spec, "tier");
  (void)user_data;
  (void)failure;
  if (tier == NULL || strcmp(tier, "even") != 0) return SWARM_OK;
  return swarm_rules_add_predicate(rules, "tier even wants an even node", 0, ends_in_even_digit,
                                   NULL, NULL, NULL);
}

// The name of the node in an inspect answer.
static void print_node(FILE* to, const char* container, const char* json) {
  const char* const node = strstr(json, "\"Node\":{");
  const char* const name = node == NULL ? NULL : strstr(node, "\"Name\":\"");
  CHECK(name != NULL);
  fprintf(to, "%s %.*s\n", container, (int)strcspn(name + 8, "\""), name + 8);
}

static void place_all(swarm_manager* manager, FILE* to) {
  swarm_error* error = NULL;
  for (int i = 0; i < kContainers; ++i) {
    char name[16];
    char* id = NULL;
    char* json = NULL;
    const char* const body = i % 3 == 0 ? kEven : kPlain;
    snprintf(name, sizeof name, "c%d", i);
    CHECK_OK(
        swarm_container_create(manager, body, strlen(body), name, NULL, PATIENCE, &id, &error));
    CHECK(strlen(id) == 64);
    CHECK_OK(swarm_container_inspect(manager, id, PATIENCE, &json, &error));
    print_node(to, name, json);
    swarm_string_free(json);
    swarm_string_free(id);
  }
}

static void refuse(swarm_manager* manager) {
  swarm_error* error = NULL;
  char* id = NULL;
  CHECK_FAILS(SWARM_FAILED_PRECONDITION, "zone==nowhere",
              swarm_container_create(manager, kNowhere, strlen(kNowhere), "refused", NULL, PATIENCE,
                                     &id, &error));
  CHECK(id == NULL);
  swarm_explanation* explanation = NULL;
  CHECK_OK(swarm_manager_plan(manager, kNowhere, strlen(kNowhere), "refused", NULL, &explanation,
                              &error));
  CHECK(!swarm_explanation_fits(explanation));
  CHECK(swarm_explanation_node(explanation) == NULL);
  CHECK(swarm_explanation_refused_count(explanation) == 5);
  const char* reason = NULL;
  CHECK_TEXT("sim-0001", swarm_explanation_refused(explanation, 0, &reason));
  CHECK(strstr(reason, "zone==nowhere") != NULL);
  CHECK(strstr(swarm_explanation_json(explanation), "{\"Node\":null,\"Address\":null,") != NULL);
  swarm_explanation_free(explanation);
}

// The strategy random chooses at the create: a plan has candidates only, and fits.
static void draw(void) {
  static const char kAnywhere[] = "{\"Image\":\"busybox\"}";
  swarm_error* error = NULL;
  swarm_options options = simulated("sim://3");
  options.strategy = "random";
  swarm_manager* const manager = open_ready(&options);
  swarm_explanation* explanation = NULL;
  CHECK_OK(
      swarm_manager_plan(manager, kAnywhere, strlen(kAnywhere), NULL, NULL, &explanation, &error));
  CHECK(swarm_explanation_fits(explanation));
  CHECK(swarm_explanation_node(explanation) == NULL);
  CHECK(swarm_explanation_candidate_count(explanation) == 3);
  CHECK(!swarm_explanation_soft_dropped(explanation));
  swarm_explanation_free(explanation);
  static const char kSoft[] = "{\"Image\":\"busybox\",\"Env\":[\"constraint:zone==~moon\"]}";
  CHECK_OK(swarm_manager_plan(manager, kSoft, strlen(kSoft), NULL, NULL, &explanation, &error));
  CHECK(swarm_explanation_node(explanation) == NULL);
  CHECK(swarm_explanation_soft_dropped(explanation));
  CHECK(strstr(swarm_explanation_json(explanation), "\"SoftDropped\":true") != NULL);
  swarm_explanation_free(explanation);
  CHECK_OK(
      swarm_manager_plan(manager, kNowhere, strlen(kNowhere), NULL, NULL, &explanation, &error));
  CHECK(!swarm_explanation_fits(explanation));
  swarm_explanation_free(explanation);
  swarm_manager_free(manager);
}

static void follow(swarm_events* events) {
  swarm_error* error = NULL;
  for (int seen = 0; seen < kContainers; ++seen) {
    const char* event = NULL;
    CHECK_OK(swarm_events_next(events, PATIENCE, &event, &error));
    CHECK(event != NULL && strstr(event, "\"create\"") != NULL);
  }
  const char* event = NULL;
  CHECK_FAILS(SWARM_DEADLINE_EXCEEDED, "", swarm_events_next(events, 100, &event, &error));
}

static void compare(FILE* placements, const char* path) {
  FILE* const wanted = fopen(path, "r");
  CHECK(wanted != NULL);
  rewind(placements);
  int got;
  do {
    got = fgetc(placements);
    if (got != fgetc(wanted)) {
      fprintf(stderr, "the placements are not those of %s\n", path);
      exit(1);
    }
  } while (got != EOF);
  fclose(wanted);
}

static void print(FILE* placements) {
  rewind(placements);
  for (int letter = fgetc(placements); letter != EOF; letter = fgetc(placements)) putchar(letter);
}

int main(int count, char** arguments) {
  swarm_error* error = NULL;
  swarm_filter even_name = SWARM_FILTER_INIT;
  even_name.name = "evenname";
  even_name.rules = even_name_rules;
  const swarm_filter* filters[1];
  filters[0] = &even_name;
  swarm_options options = simulated("sim://5?seed=7");
  options.own_filters = filters;
  options.own_filter_count = 1;
  swarm_manager* const manager = open_ready(&options);

  swarm_events* events = NULL;
  CHECK_OK(swarm_events_open(manager, "{\"type\":[\"container\"],\"event\":[\"create\"]}", NULL,
                             NULL, &events, &error));
  FILE* const placements = tmpfile();
  CHECK(placements != NULL);
  place_all(manager, placements);
  refuse(manager);
  draw();
  follow(events);
  swarm_events_free(events);
  CHECK_OK(swarm_manager_close(manager, 1000, &error));
  swarm_manager_free(manager);

  print(placements);
  if (count > 1) compare(placements, arguments[1]);
  fclose(placements);
  return 0;
}
