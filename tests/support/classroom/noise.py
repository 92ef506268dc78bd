"""Every format, with the noise around right answers that real notebooks have: magics, shell lines, long texts, plots."""

from __future__ import annotations

from support.classroom.cells import ANSWERS_1, ANSWERS_2, Text, lines, section1, section2
from support.classroom.forms import FORMS, in_both, in_section1

NOISE = [
    Text("""
        # CSE 447 A2

        Attention is all you need! It's great.

        $$\\mathrm{softmax}(QK^\\top)V$$

        ```python
        query121 = None
        ```
    """),
    """
        !pip install -q einops datasets
        %matplotlib inline
        import matplotlib.pyplot as plt
    """,
    """
        from google.colab import drive
        drive.mount('/content/drive')
        %cd /content/drive/MyDrive/cse447
    """,
    """
        !wget -q https://example.com/data.zip
        !unzip -o data.zip
    """,
    "import torch, datasets, foo, numpy as np",
    """
        %%time
        for _ in range(3):
            pass
    """,
    """
        %load_ext autoreload
        %autoreload 2
    """,
    "torch.tril?",
]
PLOTS = [
    """
        plt.figure(figsize=(3, 3))
        plt.imshow(attention(query122, key, value).numpy())
        plt.colorbar()
        plt.show()
    """,
    """
        fig, ax = plt.subplots()
        ax.imshow(key)
        fig.savefig('x.png')
    """,
]
TRAINING = [
    """
        train_data = datasets.load_dataset('foo')
        model = nn.Transformer(64, 2)
        opt = torch.optim.Adam(model.parameters())
    """,
    """
        for epoch in range(100000):
            for batch in range(100000):
                out = self_attention(torch.randn(8, 128, 64), torch.randn(8, 128, 64), torch.randn(8, 128, 64))
                loss = out.sum()
                print(loss.item())
    """,
]
LONG_TEXT = Text(
    lines(
        "## My thoughts\n",
        *(f"Line {i}: the model attends to what it wants, don't you think?" for i in range(90)),
    )
)
TEXT_WITH_GAPS = Text(
    lines("### Explanation\n", *(f"Because of the {i}th key, the dot product is large.\n" for i in range(25))),
)

CASES = [
    *(
        in_both(
            f"fmt-{form}-noisy",
            why="noise around right answers; nothing graded needs the long training cell",
            form=form,
            first=section1(before=NOISE, after=PLOTS),
            second=section2(before=NOISE, after=TRAINING),
        )
        for form in FORMS
    ),
    in_both(
        "colab-long-markdown",
        why="texts of 90 lines between answers, and raw !pip lines: the file does not parse as a whole",
        form="colab",
        first=section1(before=NOISE, between={"query121": [LONG_TEXT], "query131": [LONG_TEXT]}),
        second=section2(before=[*NOISE, LONG_TEXT]),
    ),
    in_both(
        "colab-much-markdown",
        why="many text cells, raw !pip lines, and an answer whose lines start at the margin",
        form="colab",
        first=section1(
            before=[*NOISE, *[TEXT_WITH_GAPS] * 12],
            between=dict.fromkeys(ANSWERS_1, [TEXT_WITH_GAPS] * 3),
            query131="""
                query131 = torch.tensor([
                0.0,
                0.0,
                0.0,
                ])
            """,
        ),
        second=section2(before=[*NOISE, *[TEXT_WITH_GAPS] * 12]),
    ),
    in_section1(
        "colab-indented-shell",
        why="shell line inside a block that also binds an answer",
        before=[
            """
                import sys
                if 'google.colab' in sys.modules:
                    !pip install einops

            """,
        ],
        query121="""
            if True:
                %time pass
                query121 = 100 * key[0]
        """,
    ),
    in_section1(
        "line-time-magic",
        why="%time in front of an assignment",
        query132="%time query132 = 15 * (key[0] + key[1])",
    ),
    in_both(
        "cell-time-magic",
        why="%%time cells in Colab's .py",
        form="colab",
        first=section1(
            query132="""
                %%time
                # find it
                query132 = 15 * (key[0] + key[1])

            """,
        ),
        second=section2(
            self_attention=lines("%%time\n", ANSWERS_2["self_attention"]),
        ),
    ),
    in_section1(
        "colab-md-with-apostrophes",
        why="quotes in text",
        form="colab",
        before=[*NOISE, Text("It's \"quoted\" and '''triple''' text")],
    ),
]
