import type { Definition } from '../definition.js';
import { addRequestHeader } from './add-request-header.filter.js';
import { addResponseHeader } from './add-response-header.filter.js';
import { dedupeResponseHeader } from './dedupe-response-header.filter.js';
import { fallback } from './fallback.filter.js';
import { preserveHost, setHost } from './host.filter.js';
import { injectFault } from './inject-fault.filter.js';
import { mirror } from './mirror.filter.js';
import { modifyRequestBody, modifyResponseBody } from './modify-body.filter.js';
import { prefixPath } from './prefix-path.filter.js';
import {
  addRequestParameter,
  removeRequestParameter,
  renameRequestParameter,
  setRequestParameter,
} from './query-parameter.filter.js';
import { redirectTo } from './redirect-to.filter.js';
import { removeJsonFields } from './remove-json-fields.filter.js';
import { removeRequestHeader } from './remove-request-header.filter.js';
import { removeResponseHeader } from './remove-response-header.filter.js';
import { renameRequestHeader } from './rename-request-header.filter.js';
import { renameResponseHeader } from './rename-response-header.filter.js';
import { requestHeaderSize } from './request-header-size.filter.js';
import { requestSize } from './request-size.filter.js';
import { responseCache } from './response-cache.filter.js';
import { retry } from './retry.filter.js';
import { rewriteLocation } from './rewrite-location.filter.js';
import { rewritePath } from './rewrite-path.filter.js';
import { secureHeaders } from './secure-headers.filter.js';
import { setPath } from './set-path.filter.js';
import { setRequestHeader } from './set-request-header.filter.js';
import { setResponseHeader } from './set-response-header.filter.js';
import { setStatus } from './set-status.filter.js';
import { stripPrefix } from './strip-prefix.filter.js';
import type { GatewayFilter } from './gateway-filter.js';

/** Every filter that configuration can name. */
export const filters: readonly Definition<GatewayFilter>[] = [
  addRequestHeader,
  addRequestParameter,
  addResponseHeader,
  dedupeResponseHeader,
  fallback,
  injectFault,
  mirror,
  modifyRequestBody,
  modifyResponseBody,
  prefixPath,
  preserveHost,
  redirectTo,
  removeJsonFields,
  removeRequestHeader,
  removeRequestParameter,
  removeResponseHeader,
  renameRequestHeader,
  renameRequestParameter,
  renameResponseHeader,
  requestHeaderSize,
  requestSize,
  responseCache,
  retry,
  rewriteLocation,
  rewritePath,
  secureHeaders,
  setHost,
  setPath,
  setRequestHeader,
  setRequestParameter,
  setResponseHeader,
  setStatus,
  stripPrefix,
].map(({ definition }) => definition);
