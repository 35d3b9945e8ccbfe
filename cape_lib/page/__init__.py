"""What a page says and shows that is no figure: `charts` is what is drawn, `story` the sentences and their rows."""

from cape_lib.page.tables import table
from cape_lib.page.text import answer, answers, remember, say, sure, where
