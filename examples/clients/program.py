"""The same as program.mjs, for recipes in Python: python examples/clients/program.py <client>"""
import asyncio
import importlib.util
import inspect
import logging
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # reused_token

reasons = []


class Reasons(logging.Handler):
    """A pool of psycopg logs why it has no connection, and raises PoolTimeout."""

    def emit(self, record):
        reasons.append(record.getMessage())


async def main(name):
    logging.getLogger('psycopg.pool').addHandler(Reasons())
    spec = importlib.util.spec_from_file_location('recipe', HERE / name / 'recipe.py')
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    while statement := await asyncio.to_thread(sys.stdin.readline):
        reasons.clear()
        try:
            answer = await finished(recipe.query, statement)
        except Exception as error:
            answer = 'error: ' + ' '.join(' '.join([str(error), *reasons[-1:]]).split())
        print(f'> {answer}', flush=True)
    await finished(recipe.close)


async def finished(function, *args):
    if inspect.iscoroutinefunction(function):
        return await function(*args)
    return await asyncio.to_thread(function, *args)  # Django refuses to be called in an event loop


asyncio.run(main(sys.argv[1]))
