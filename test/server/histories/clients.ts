// Requests of Open WebUI, LibreChat, Claude Code and Codex in the form that their sources and
// documents have, shortened: what a server must take from each of them.

/** A request of a client. */
export interface ClientRequest {
  readonly name: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** The client asks by itself, for a title or the like: it must not wait for thinking. */
  readonly isAuxiliary?: boolean;
}

const CHAT = "/v1/chat/completions";
const HISTORY = "USER: What is 1+1?\nASSISTANT: 2";

const openWebUi = (task: string, prompt: string): ClientRequest => ({
  name: `Open WebUI: ${task}`,
  path: CHAT,
  isAuxiliary: true,
  body: {
    model: "tiny-r1",
    messages: [{ role: "user", content: prompt }],
    stream: false,
    max_completion_tokens: 1000,
    metadata: { task, chat_id: "c1", task_body: { model: "tiny-r1" } },
  },
});

const shell = {
  type: "object",
  properties: {
    command: { type: "array", items: { type: "string" } },
    workdir: { type: "string" },
    timeout_ms: { type: "number" },
  },
  required: ["command"],
  additionalProperties: false,
};

const bash = {
  name: "Bash",
  description: "Executes a command.",
  input_schema: {
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    properties: { command: { type: "string" }, timeout: { type: "number" } },
    required: ["command"],
    additionalProperties: false,
  },
};

const CLAUDE_HEADERS = {
  "anthropic-version": "2023-06-01",
  "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14",
  "x-app": "cli",
  "x-stainless-lang": "js",
};

/** Claude Code's main request; `cch` differs in each. */
export const claudeCode = (cch: string): ClientRequest => ({
  name: "Claude Code: a turn with tools",
  path: "/v1/messages?beta=true",
  headers: CLAUDE_HEADERS,
  body: {
    model: "claude-sonnet-4-5-20250929",
    max_tokens: 32_000,
    stream: true,
    system: [
      {
        type: "text",
        text: `x-anthropic-billing-header: cc_version=2.1; cc_entrypoint=cli; cch=${cch};`,
      },
      {
        type: "text",
        text: "You are Claude Code, a tool for the command line.",
        cache_control: { type: "ephemeral" },
      },
      {
        type: "text",
        text: "Answer in few words. ".repeat(20),
        cache_control: { type: "ephemeral" },
      },
    ],
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "<system-reminder>\nToday is Monday.\n</system-reminder>" },
          { type: "text", text: "List the files.", cache_control: { type: "ephemeral" } },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "I list them.", signature: "c2ln" },
          { type: "tool_use", id: "toolu_01", name: "Bash", input: { command: "ls" } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "toolu_01", content: "", is_error: false },
          { type: "text", text: "What is 1+1?", cache_control: { type: "ephemeral" } },
        ],
      },
    ],
    tools: [bash, { type: "web_search_20250305", name: "web_search", max_uses: 8 }],
    metadata: { user_id: "user_x_account__session_y" },
    thinking: { type: "enabled", budget_tokens: 31_999 },
    context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
  },
});

/** One request of each kind. */
export const clientRequests: readonly ClientRequest[] = [
  {
    name: "Open WebUI: a chat",
    path: CHAT,
    body: {
      stream: true,
      model: "tiny-r1",
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "What is 1+1?" },
        { role: "assistant", content: "<think>\nadd them\n</think>\n2" },
        { role: "user", content: [{ type: "text", text: "And 2+2?" }] },
      ],
      stream_options: { include_usage: true },
      max_tokens: 24,
      features: { web_search: false },
      chat_id: "c1",
      session_id: "s1",
    },
  },
  openWebUi(
    "title_generation",
    `### Task:\nGenerate a concise, 3-5 word title with an emoji.\n### Output:\nJSON format: { "title": "your title" }\n### Chat History:\n<chat_history>\n${HISTORY}\n</chat_history>`,
  ),
  openWebUi(
    "tags_generation",
    `### Task:\nGenerate 1-3 broad tags.\n### Output:\nJSON format: { "tags": ["tag1"] }\n### Chat History:\n${HISTORY}`,
  ),
  openWebUi(
    "follow_up_generation",
    `### Task:\nSuggest 3-5 relevant follow-up questions.\n### Chat History:\n${HISTORY}`,
  ),
  openWebUi("query_generation", `### Task:\nAnalyze the chat history.\n${HISTORY}`),
  {
    name: "LibreChat: a chat",
    path: CHAT,
    body: {
      model: "tiny-r1",
      user: "66a",
      stream: true,
      stream_options: { include_usage: true },
      temperature: 1,
      top_p: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      max_tokens: 24,
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "What is 1+1?", name: "ann" },
      ],
    },
  },
  {
    name: "LibreChat: a title",
    path: CHAT,
    isAuxiliary: true,
    body: {
      model: "tiny-r1",
      stream: false,
      temperature: 0.2,
      max_tokens: 16,
      messages: [
        {
          role: "user",
          content:
            "Provide a concise, 5-word-or-less title for the conversation, using its same language, " +
            `with no punctuation. Apply title case conventions.\n\n${HISTORY}`,
        },
      ],
    },
  },
  {
    name: "Claude Code: a side task of the small model",
    path: "/v1/messages?beta=true",
    headers: CLAUDE_HEADERS,
    body: {
      model: "claude-haiku-4-5-20251001",
      max_tokens: 24,
      temperature: 0,
      stream: true,
      system: [{ type: "text", text: "Is this a new topic? Answer in JSON." }],
      messages: [{ role: "user", content: "What is 1+1?" }],
      tools: [],
      metadata: { user_id: "user_x" },
    },
  },
  {
    name: "Claude Code: a count",
    path: "/v1/messages/count_tokens?beta=true",
    headers: CLAUDE_HEADERS,
    body: {
      model: "claude-sonnet-4-5-20250929",
      messages: [{ role: "user", content: "What is 1+1?" }],
      tools: [bash],
    },
  },
  {
    name: "Codex: a turn with tools",
    path: "/v1/responses",
    headers: { originator: "codex_cli_rs", accept: "text/event-stream", session_id: "s1" },
    body: {
      model: "tiny-r1",
      instructions: "You are Codex, a coding agent.",
      input: [
        {
          type: "message",
          role: "developer",
          content: [
            { type: "input_text", text: "<permissions instructions>read only</permissions>" },
          ],
        },
        {
          type: "message",
          role: "user",
          content: [
            {
              type: "input_text",
              text: "<environment_context>\n  <cwd>/x</cwd>\n</environment_context>",
            },
          ],
        },
        { type: "message", role: "user", content: [{ type: "input_text", text: "What is 1+1?" }] },
        { type: "reasoning", summary: [], content: null, encrypted_content: "gAAAAAB" },
        {
          type: "function_call",
          name: "shell",
          arguments: '{"command":["ls"]}',
          call_id: "call_1",
        },
        { type: "function_call_output", call_id: "call_1", output: "" },
      ],
      tools: [
        { type: "function", name: "shell", description: "Runs.", strict: false, parameters: shell },
        {
          type: "custom",
          name: "apply_patch",
          format: { type: "grammar", syntax: "lark", definition: "x" },
        },
        { type: "web_search", external_web_access: true },
        { type: "namespace", name: "mcp", tools: [] },
        { type: "local_shell" },
        { type: "image_generation", output_format: "png" },
      ],
      tool_choice: "auto",
      parallel_tool_calls: false,
      reasoning: { effort: "medium", summary: "auto" },
      store: false,
      stream: true,
      include: ["reasoning.encrypted_content"],
      prompt_cache_key: "s1",
      client_metadata: { x: "y" },
      max_output_tokens: 24,
    },
  },
];
