import { ANSWER_MS, answering, CREATION_INTERRUPTED, NOT_CREATED, Surroundings } from '../../lambda/shared/answering';
import { ProvisionError } from '../../lambda/shared/errors';
import { decodeResponseUrl, sentAt } from '../../lambda/shared/response-url';

const LOCATION = { region: 'eu-west-1', urlSuffix: 'amazonaws.com' };
const HOST = 'cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com';
const SIGNATURE = 'top-secret-signature';
const URL_OF_EVENT = `https://${HOST}/arn%3Aaws%3A1%7CUser%7C1?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261129T120000Z&X-Amz-Expires=7199&X-Amz-Signature=${SIGNATURE}`;
const SENT = Date.UTC(2026, 10, 29, 12, 0, 0);
const IDS = {
  StackId: 'arn:aws:cloudformation:eu-west-1:123456789012:stack/Shop/1',
  RequestId: 'request',
  LogicalResourceId: 'User',
};
const CREATE = { RequestType: 'Create', ResponseURL: URL_OF_EVENT, ...IDS };
const UPDATE = { ...CREATE, RequestType: 'Update', PhysicalResourceId: 'cluster-1/orders/User' };
const DELETE = { ...UPDATE, RequestType: 'Delete' };
const MADE = { PhysicalResourceId: 'cluster-1/orders/User' };

type Handle = Parameters<typeof answering>[0];

/** Runs an event through a function that answers, and returns what was uploaded and logged. */
async function run(
  event: unknown,
  handle: Handle,
  {
    remainingMs = 300_000,
    statuses = [200],
    ...surroundings
  }: Partial<Surroundings> & { remainingMs?: number; statuses?: (number | Error)[] } = {},
) {
  const uploads: { url: string; body: string; timeoutMs: number }[] = [];
  const lines: string[] = [];
  const delays: number[] = [];
  const put: Surroundings['put'] = (url, body, timeoutMs) => {
    uploads.push({ url: url.href, body, timeoutMs });
    const status = statuses[Math.min(uploads.length, statuses.length) - 1];
    return status instanceof Error ? Promise.reject(status) : Promise.resolve(status);
  };
  const answer = answering(handle, {
    location: () => LOCATION,
    serviceTimeoutSeconds: 420,
    now: () => SENT,
    put,
    sleep: milliseconds => Promise.resolve(delays.push(milliseconds)),
    write: line => lines.push(line),
    ...surroundings,
  });
  const error = await answer(event, {
    awsRequestId: 'invocation',
    functionName: 'provisioner',
    logGroupName: 'Shop-Logs-1',
    getRemainingTimeInMillis: () => remainingMs,
  }).then(
    () => undefined,
    (thrown: Error) => thrown.message,
  );
  expect(lines.join('\n')).not.toContain(SIGNATURE);
  expect(error ?? '').not.toContain(SIGNATURE);
  return {
    answers: uploads.map(({ body }) => JSON.parse(body) as Record<string, string>),
    uploads,
    notices: lines.map(line => (JSON.parse(line) as { notice: string }).notice),
    log: lines.join('\n'),
    delays,
    error,
  };
}

const fails = (error: Error): Handle => () => Promise.reject(error);

describe('a function that answers CloudFormation', () => {
  test.each([['Create', CREATE], ['Update', UPDATE], ['Delete', DELETE]])(
    'uploads its success to the pre-signed URL: %s',
    async (_, event) => {
      const { answers, uploads, notices, error } = await run(event, () => Promise.resolve(MADE));
      expect(answers).toEqual([{ Status: 'SUCCESS', ...MADE, ...IDS }]);
      expect(uploads[0].url).toBe(URL_OF_EVENT);
      expect([notices, error]).toEqual([['answered'], undefined]);
    },
  );

  test('passes on another physical id of an update, which is a replacement, and none of a Delete', async () => {
    const other = () => Promise.resolve({ PhysicalResourceId: 'cluster-1/sales/User' });
    expect((await run(UPDATE, other)).answers).toMatchObject([{ PhysicalResourceId: 'cluster-1/sales/User' }]);
    expect((await run(DELETE, other)).answers).toMatchObject([MADE]);
  });

  test.each<[string, object, Error, string]>([
    ['a Create that has left nothing', CREATE, new ProvisionError('no such schema'), NOT_CREATED],
    ['a Create that may have left something', CREATE, new ProvisionError('no such schema', { mayBeLeft: true }),
      CREATION_INTERRUPTED],
    ['a Create that broke in an unforeseen way', CREATE, new TypeError('no such schema'), CREATION_INTERRUPTED],
    ['an Update', UPDATE, new ProvisionError('no such schema'), MADE.PhysicalResourceId],
    ['a Delete', DELETE, new ProvisionError('no such schema'), MADE.PhysicalResourceId],
  ])('answers FAILED with the reason, and does not fail itself: %s', async (_, event, error, physicalId) => {
    const { answers, notices, ...others } = await run(event, fails(error));
    expect(answers).toEqual([{ Status: 'FAILED', Reason: 'no such schema', PhysicalResourceId: physicalId, ...IDS }]);
    expect([notices, others.error]).toEqual([['answered'], undefined]);
  });

  test('deletes nothing where nothing was created, and asks for nothing', async () => {
    const handle = jest.fn(() => Promise.resolve(MADE));
    const { answers } = await run({ ...DELETE, PhysicalResourceId: NOT_CREATED }, handle);
    expect(answers).toEqual([{ Status: 'SUCCESS', PhysicalResourceId: NOT_CREATED, ...IDS }]);
    expect(handle).not.toHaveBeenCalled();
  });

  test('looks for what an interrupted creation has left', async () => {
    const handle = jest.fn(() => Promise.resolve({ PhysicalResourceId: CREATION_INTERRUPTED }));
    expect((await run({ ...DELETE, PhysicalResourceId: CREATION_INTERRUPTED }, handle)).answers).toMatchObject([
      { Status: 'SUCCESS', PhysicalResourceId: CREATION_INTERRUPTED },
    ]);
    expect(handle).toHaveBeenCalledTimes(1);
  });

  test.each([['Create', CREATE, CREATION_INTERRUPTED], ['Update', UPDATE, MADE.PhysicalResourceId]])(
    'answers before its time is over, whatever the work does: %s',
    async (_, event, physicalId) => {
      const { answers, error } = await run(event, () => new Promise(() => undefined), { remainingMs: ANSWER_MS + 20 });
      expect(answers).toEqual([
        {
          Status: 'FAILED',
          Reason: 'no result within the time of the function; see its log (log group: Shop-Logs-1)',
          PhysicalResourceId: physicalId,
          ...IDS,
        },
      ]);
      expect(error).toBeUndefined();
    },
  );

  test('leaves the work less time than the function has, and no more than CloudFormation waits', async () => {
    const times: number[] = [];
    const handle: Handle = (_event, context) => {
      times.push(Math.round(context.getRemainingTimeInMillis() / 1000));
      return Promise.resolve(MADE);
    };
    await run(CREATE, handle);
    await run(CREATE, handle, { now: () => SENT + 200_000 });
    await run({ ...CREATE, ResponseURL: URL_OF_EVENT.replace(/X-Amz-Date=\w+&/, '') }, handle, {
      now: () => SENT + 200_000,
    });
    await run(CREATE, handle, { now: () => SENT - 60_000 });
    expect(times).toEqual([280, 200, 280, 280]);
  });

  test.each([[399, true], [400, false], [86_400, false]])(
    'carries out an event that was sent %d s ago: %s, because CloudFormation waits for 420 s',
    async (seconds, isDone) => {
      const handle = jest.fn(() => Promise.resolve(MADE));
      const { answers, notices, error } = await run(CREATE, handle, { now: () => SENT + seconds * 1000 });
      expect([handle.mock.calls.length, answers.length]).toEqual(isDone ? [1, 1] : [0, 0]);
      expect([notices, error]).toEqual([[isDone ? 'answered' : 'too late'], undefined]);
    },
  );

  test('tries to upload five times, and fails then, so that Lambda tries the event again', async () => {
    const { answers, delays, error, notices, uploads } = await run(CREATE, () => Promise.resolve(MADE), {
      statuses: [503],
    });
    expect(answers).toHaveLength(5);
    expect(delays).toEqual([250, 500, 1000, 2000]);
    expect(
      uploads.reduce((sum, { timeoutMs }) => sum + timeoutMs, 0) + delays.reduce((sum, delay) => sum + delay, 0),
    ).toBeLessThan(ANSWER_MS);
    expect(error).toBe(
      'the answer SUCCESS could not be uploaded: status 503, after 5 attempts; check that nothing keeps the function from Amazon S3',
    );
    expect(notices).toEqual(['not answered']);
  });

  test('is content with any attempt, and logs no message of an error, which may have the URL', async () => {
    const { answers, error } = await run(CREATE, () => Promise.resolve(MADE), {
      statuses: [Object.assign(new Error(`connect ${URL_OF_EVENT}`), { code: 'ECONNRESET' }), 307, 403, 204],
    });
    expect([answers.length, error]).toEqual([4, undefined]);
    expect(
      (await run(CREATE, () => Promise.resolve(MADE), { statuses: [new TypeError(URL_OF_EVENT)] })).error,
    ).toContain('could not be uploaded: TypeError, after 5 attempts');
  });

  test.each(['x'.repeat(20_000), '\u0001'.repeat(5_000), 'ü"\\'.repeat(3_000)])(
    'has at most 4,096 bytes, whatever the reason is',
    async (reason) => {
      const { uploads, answers } = await run(
        { ...CREATE, LogicalResourceId: 'U'.repeat(255) },
        fails(new TypeError(reason)),
      );
      expect(Buffer.byteLength(uploads[0].body)).toBeLessThanOrEqual(4096);
      expect(answers[0].Reason.length).toBeGreaterThan(200);
    },
  );

  test.each<[string, unknown, string]>([
    ['no object', 'x', 'event "x" is not allowed: it is not an object; pass an object'],
    ['no URL', { ...CREATE, ResponseURL: undefined },
      'ResponseURL is not a URL, so that CloudFormation gets no answer; let CloudFormation send the events'],
    ['no request', { ...CREATE, RequestId: 1 }, 'RequestId 1 is not allowed: it is not a string; pass a string'],
    ['ids without an end', { ...CREATE, StackId: 'x'.repeat(5_000) },
      'the answer SUCCESS could not be uploaded: the ids of the event leave no room for a reason in an answer, which has 4096 bytes; let CloudFormation send the events'],
  ])('uploads nothing for an event with %s', async (_, event, message) => {
    const { answers, error, notices } = await run(event, () => Promise.resolve(MADE));
    expect([answers, error, notices]).toEqual([[], message, ['not answered']]);
  });
});

describe('a ResponseURL', () => {
  const decode = (url: unknown, location = LOCATION) => () => decodeResponseUrl(url, location);

  // As seen in events that others have published.
  test.each([
    ['eu-west-1', 'amazonaws.com', HOST],
    ['eu-west-1', 'amazonaws.com', 'cloudformation-custom-resource-response-euwest1.s3-eu-west-1.amazonaws.com'],
    ['us-east-1', 'amazonaws.com', 'cloudformation-custom-resource-response-useast1.s3.amazonaws.com'],
    ['eu-west-1', 'amazonaws.com',
      'cloudformation-custom-resource-response-euwest1.s3.dualstack.eu-west-1.amazonaws.com'],
    ['cn-north-1', 'amazonaws.com.cn', 'cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn'],
  ])('is taken in %s with the suffix %s: %s', (region, urlSuffix, host) => {
    expect(decode(`https://${host}/x?y`, { region, urlSuffix })().hostname).toBe(host);
  });

  test.each([
    ['of another protocol', `http://${HOST}/x`, 'is not an https URL without a port and credentials'],
    ['with a port', `https://${HOST}:8443/x`, 'is not an https URL without a port and credentials'],
    ['with credentials', `https://me:pass@${HOST}/x`, 'is not an https URL without a port and credentials'],
    ['that is none', 'https://', 'is not a URL'],
    ['of another kind', 5, 'is not a URL'],
  ])('%s is refused', (_, url, problem) => {
    expect(decode(url)).toThrow(
      new Error(`ResponseURL ${problem}, so that CloudFormation gets no answer; let CloudFormation send the events`),
    );
  });

  test.each([
    'evil.example',
    'cloudformation-custom-resource-response-useast1.s3.us-east-1.amazonaws.com',
    'cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com.evil.example',
    'cloudformation-custom-resource-response-euwest1.evil.s3.eu-west-1.amazonaws.com',
    'cloudformation-custom-resource-response-euwest1-evil.s3.eu-west-1.amazonaws.com',
    'evil.cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com',
    '169.254.169.254',
    'localhost',
  ])('at %s is refused', (host) => {
    expect(decode(`https://${host}/secret`)).toThrow(
      new Error(
        `ResponseURL is at "${host}", and CloudFormation takes answers at ${HOST}, so that CloudFormation gets no answer; let CloudFormation send the events`,
      ),
    );
  });

  test.each([
    ['20261129T120000Z', SENT],
    ['20261129T120001Z', SENT + 1000],
    ['20261399T120000Z', undefined],
    ['2026-11-29T12:00:00Z', undefined],
    ['', undefined],
  ])('that was signed at %s says when', (date, expected) => {
    expect(sentAt(new URL(`https://${HOST}/x?X-Amz-Date=${date}`))).toBe(expected);
  });
});
