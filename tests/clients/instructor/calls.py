"""instructor: every mode that applies to OpenAI's API, partial objects, lists, an image."""

import instructor
import openai
from harness import BASE, CHAT, SIGN, VISION, call, data_url, main
from instructor.core import InstructorRetryException
from pydantic import BaseModel, Field

plain = openai.OpenAI(base_url=BASE, api_key="none", max_retries=0)
ASK = [{"role": "user", "content": "Ada is 36 years old and lives in Paris."}]


class Person(BaseModel):
    """A person."""

    name: str
    age: int


def create(mode, **more):
    client = instructor.from_openai(plain, mode=mode)
    request = {
        "model": CHAT,
        "messages": ASK,
        "temperature": 0,
        "max_tokens": 200,
        "max_retries": 0,
        **more,
    }
    return client.chat.completions.create(**{"response_model": Person, **request})


@call
def mode_tools():
    return str(create(instructor.Mode.TOOLS))


@call
def mode_tools_strict():
    return str(create(instructor.Mode.TOOLS_STRICT))


@call
def mode_json_schema():
    return str(create(instructor.Mode.JSON_SCHEMA))


@call
def mode_json():
    """The answer is any JSON object. The model may not follow the schema in the prompt, so the object is only read."""
    try:
        return str(create(instructor.Mode.JSON))
    except InstructorRetryException as error:
        answer = error.last_completion.choices[0]
        assert answer.message.content.lstrip().startswith("{") or answer.finish_reason == "length"
        return "an object with other members"


@call
def mode_responses_tools():
    client = instructor.from_openai(plain, mode=instructor.Mode.RESPONSES_TOOLS)
    found = client.responses.create(
        model=CHAT, input=ASK[0]["content"], response_model=Person, max_retries=0
    )
    assert isinstance(found, Person)
    return str(found)


@call
def partial_stream():
    parts = list(
        create(instructor.Mode.TOOLS, response_model=instructor.Partial[Person], stream=True)
    )
    assert parts[-1].name is not None and parts[-1].age is not None
    return f"{len(parts)} partial objects"


@call
def list_of_objects():
    class People(BaseModel):
        people: list[Person] = Field(min_length=1, max_length=2)

    found = create(instructor.Mode.JSON_SCHEMA, response_model=People)
    assert isinstance(found.people[0], Person)
    return f"{len(found.people)} objects"


@call
def image():
    class Sign(BaseModel):
        word: str

    parts = [
        {"type": "image_url", "image_url": {"url": data_url()}},
        {"type": "text", "text": SIGN[0]},
    ]
    messages = [{"role": "user", "content": parts}]
    found = create(
        instructor.Mode.JSON_SCHEMA, model=VISION, messages=messages, response_model=Sign
    )
    assert isinstance(found, Sign)
    return str(found)


main("instructor")
