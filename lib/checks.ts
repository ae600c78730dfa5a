// Public exports of r1-native/checks: checks requests before a model is loaded.

export {
  CHAT_OPTION_NAMES,
  checkChat,
  checkChatOptions,
  checkCompletionOptions,
  GENERATE_OPTION_NAMES,
} from "./model/check-request.js";
