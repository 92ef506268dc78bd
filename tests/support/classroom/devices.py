"""Notebooks for a GPU that the grader does not have, and other default types."""

from __future__ import annotations

from support.classroom.case import case
from support.classroom.cells import ANSWERS_1, ATTENTION, SETUP_1, lines, section1, section2, spread
from support.classroom.forms import in_both, in_section1, in_section2, pair

DEVICES = {
    "device-cuda": "DEVICE = 'cuda'",
    "device-obj": "DEVICE = torch.device('cuda')",
    "mps": "DEVICE = torch.device('mps') if torch.backends.mps.is_available() else torch.device('cuda:0')",
}

CASES = [
    *(
        in_both(
            f"s2-{name}",
            why="GPU in the notebook",
            first=section1(
                also=lines(device, "key = key.to(DEVICE)", "value = value.to(DEVICE)"),
                query131="query131 = torch.zeros(3, device=DEVICE)",
            ),
            second=section2(
                also=device,
                make_causal_mask="""
                    def make_causal_mask(n_tok):
                        return torch.tril(torch.ones(n_tok, n_tok, device=DEVICE)).to(DEVICE)
                """,
                apply_causal_mask="""
                    def apply_causal_mask(mask, A):
                        return A.masked_fill(mask.to(A.device) == 0, float('-inf')).to(DEVICE)
                """,
            ),
        )
        for name, device in DEVICES.items()
    ),
    in_both(
        "s1-dotcuda",
        why=".cuda() on tensors",
        first=section1(
            query121="""
                query121 = (100 * key[0]).cuda()
                check_query(query121, value.cuda()[0])
            """,
        ),
        second=section2(
            make_causal_mask="""
                def make_causal_mask(n_tok):
                    return torch.ones(n_tok, n_tok).cuda().tril()
            """,
        ),
    ),
    in_both(
        "default-device",
        why="CUDA is the default device",
        first=section1(
            before=[
                """
                    import torch
                    torch.set_default_device('cuda')
                """,
            ],
        ),
        second=section2(
            before=[
                """
                    import torch
                    torch.set_default_device('cuda')
                """,
            ],
        ),
    ),
    in_section2(
        "with-device",
        why="CUDA as the context of one statement",
        make_causal_mask="""
            def make_causal_mask(n_tok):
                with torch.device('cuda'):
                    return torch.tril(torch.ones(n_tok, n_tok))
        """,
    ),
    in_section2(
        "assert-cuda",
        why="the first cell asserts that there is a GPU",
        before=[
            """
                import torch
                assert torch.cuda.is_available(), 'turn on GPU'
                print(torch.cuda.get_device_name(0))
                device = torch.device('cuda')
                torch.cuda.empty_cache()
            """,
        ],
    ),
    in_both(
        "f64-default-after",
        why="float64 becomes the default after K and V",
        first=section1(
            also="""
                torch.set_default_dtype(torch.float64)
                key = key.double(); value = value.double()
            """,
        ),
        second=section2(
            before=[
                """
                    import torch
                    torch.set_default_dtype(torch.float64)
                """,
            ],
        ),
    ),
    in_section1(
        "f64-default-before",
        why="float64 becomes the default before K and V are drawn: other numbers than printed, but the canonical K counts",
        before=[
            """
                import torch
                torch.set_default_dtype(torch.float64)
            """,
        ],
    ),
    case(
        "seed-in-other-cell",
        pair(
            [
                "import torch\n",
                "torch.manual_seed(447)\n",
                "noise = torch.randn(7)",
                SETUP_1.replace("torch.manual_seed(447)\n", ""),
                ATTENTION,
                *spread(ANSWERS_1, ANSWERS_1),
            ]
        ),
        why="noise is drawn between seed and key: the student's key is not the handout's, but the canonical K counts",
    ),
]
