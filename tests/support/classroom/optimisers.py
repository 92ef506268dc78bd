"""Answers found by an optimiser, with everything that stands around its loop."""

from __future__ import annotations

from support.classroom.forms import in_section1

# Fits {name} to {target}, and keeps the gradient or detaches it.
ADAM = """
    q = torch.randn(3, requires_grad=True)
    opt = torch.optim.Adam([q], lr=0.5)
    for step in range({steps}):
        opt.zero_grad()
        loss = ((attention(q, key, value) - {target}) ** 2).sum()
        loss.backward()
        opt.step()
        if step % 100 == 0:
            print(step, loss.item())
    {name} = q{tail}
"""
CASES = [
    in_section1(
        "opt-adam",
        why="Adam, with gradients kept; its query is right, but too short for any unit key, which is judged with a longer one",
        query121=ADAM.format(name="query121", target="value[0]", steps=500, tail=".detach()"),
        query132=ADAM.format(name="query132", target="(value[0] + value[1]) / 2", steps=2000, tail=""),
        m_key_142="""
            m_key = key.clone()
            m_key[2] = query132.detach() / query132.detach().norm()
        """,
    ),
    in_section1(
        "opt-sgd-func",
        why="a helper with SGD returns a Parameter",
        query131="""
            def find(target, n=300):
                q = nn.Parameter(torch.zeros(3)+0.1)
                opt = torch.optim.SGD([q], lr=1.0)
                for _ in range(n):
                    opt.zero_grad(); l = F.mse_loss(attention(q, key, value), target); l.backward(); opt.step()
                return q
            query131 = find(value.mean(0))
        """,
        also="import torch.nn as nn",
    ),
    in_section1(
        "opt-lbfgs",
        why="LBFGS closure over the answer itself",
        query131="""
            query131 = torch.full((3,), 0.5, requires_grad=True)
            opt = torch.optim.LBFGS([query131])
            def closure():
                opt.zero_grad()
                loss = F.mse_loss(attention(query131, key, value), value.mean(0))
                loss.backward()
                return loss
            for _ in range(20):
                opt.step(closure)
        """,
    ),
    in_section1(
        "opt-tqdm",
        why="tqdm around the loop (on Colab it is there)",
        also="from tqdm import tqdm",
        query131="""
            query131 = torch.full((3,), 0.5, requires_grad=True)
            opt = torch.optim.Adam([query131], lr=0.1)
            for _ in tqdm(range(300)):
                opt.zero_grad()
                loss = F.mse_loss(attention(query131, key, value), value.mean(0))
                loss.backward()
                opt.step()
        """,
    ),
    in_section1(
        "opt-tqdm-nb",
        why="trange with postfix",
        also="from tqdm.notebook import trange",
        query131="""
            q = torch.full((3,), 0.5, requires_grad=True)
            opt = torch.optim.Adam([q], lr=0.1)
            pbar = trange(300, desc='fit')
            for _ in pbar:
                opt.zero_grad()
                loss = F.mse_loss(attention(q, key, value), value.mean(0))
                loss.backward()
                opt.step()
                pbar.set_postfix(loss=loss.item())
            query131 = q.detach()
        """,
    ),
    in_section1(
        "opt-plot-inside",
        why="plots inside the loop (matplotlib is on Colab)",
        also="""
            import matplotlib.pyplot as plt
            from IPython.display import clear_output, display
        """,
        query131="""
            q = torch.full((3,), 0.5, requires_grad=True)
            losses = []
            opt = torch.optim.Adam([q], lr=0.1)
            for i in range(300):
                opt.zero_grad()
                loss = F.mse_loss(attention(q, key, value), value.mean(0))
                loss.backward()
                opt.step()
                losses.append(loss.item())
                if i % 100 == 0:
                    clear_output(wait=True)
                    plt.plot(losses)
                    plt.show()
            query131 = q.detach()
        """,
    ),
    in_section1(
        "display-in-cell",
        why="display() inside a loop",
        query121="query121 = 100 * key[0]; display(query121)",
        query131="""
            for name in ['a']:
                query131 = torch.zeros(3)
                display(query131)
        """,
    ),
    in_section1(
        "scipy",
        why="scipy only in a print",
        also="""
            import numpy as np
            from scipy.special import softmax
        """,
        query131="""
            query131 = np.zeros(3)
            print(softmax(key.numpy() @ query131))
        """,
    ),
    in_section1(
        "scipy-min",
        why="scipy.optimize, as on Colab",
        also="""
            import numpy as np
            from scipy.optimize import minimize
        """,
        query131="""
            res = minimize(lambda q: float(((attention(torch.tensor(q, dtype=torch.float32), key, value) - value.mean(0))**2).sum()), np.ones(3)*0.01, method='Nelder-Mead')
            query131 = torch.tensor(res.x, dtype=torch.float32)
        """,  # noqa: E501  # as students write
    ),
]
