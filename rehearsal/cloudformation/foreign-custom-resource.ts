import { setTimeout } from 'node:timers/promises';
import { nativeResource } from './native-resource';
import { ResourceOutcome, ResourceProvider, ResourceRequest } from './template';

/** How long a function of the app may take: what it calls is mostly not here. */
const PATIENCE_SECONDS = 60;

/**
 * A custom resource of the app that users of the library wait for. Its function runs, because it may prepare the
 * database through the RDS Data API; where that does not go well, the resource does nothing.
 *
 * @param told called with the reason why a resource does nothing
 */
export function foreignCustomResource(
  custom: ResourceProvider,
  told: (request: ResourceRequest, reason: string) => void,
): ResourceProvider {
  const inert = new Set<string>();
  const attempt = async (
    request: ResourceRequest,
    call: () => Promise<ResourceOutcome>,
    otherwise: () => Promise<ResourceOutcome>,
  ) => {
    const over = new AbortController();
    const tooLong = setTimeout(PATIENCE_SECONDS * 1000, undefined, { signal: over.signal, ref: false })
      .then(() => Promise.reject(new Error(`there was no answer within ${PATIENCE_SECONDS} s`)));
    tooLong.catch(() => undefined);
    try {
      return await Promise.race([call(), tooLong]);
    } catch (error) {
      told(request, (error as Error).message);
      const outcome = await otherwise();
      inert.add(outcome.physicalId);
      return outcome;
    } finally {
      over.abort();
    }
  };
  return {
    create: request => attempt(request, () => custom.create(request), () => nativeResource.create(request)),
    update: (request, current) => inert.has(current.physicalId)
      ? nativeResource.update(request, current)
      : attempt(request, () => custom.update(request, current), () => nativeResource.update(request, current)),
    delete: async (stack, state) => {
      if (!inert.has(state.physicalId)) {
        await custom.delete(stack, state).catch((error: Error) => told({ ...state, stack }, error.message));
      }
    },
  };
}
