"""The answers of the story: one computed sentence a chapter, with its grade of evidence and its interval.

One module a chapter. A sentence says what the rows show, whichever way they turn out; no finding is typed.
"""

from cape_lib.story.answer import GRADES, Answer, between, listed, times
