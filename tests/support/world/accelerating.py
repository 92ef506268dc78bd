"""Kinds of programs that train with accelerate, which does next to nothing with one process and no GPU."""

from support.world.kind import S3, Kind, Member, changed, member

LOSS, MODEL = "        output.loss.backward()\n", "    best = 0\n"
SAVED = 'torch.save(model.state_dict(), "checkpoints/best.pt")'
PREPARED = "    model, optimizer, train, validation = accelerator.prepare(model, optimizer, train, validation)\n"


def accelerated(
    name: str,
    *pairs: tuple[str, str],
    options: str = "",
    imports: str = "from accelerate import Accelerator",
    prepared: str = PREPARED,
    backward: str = "        accelerator.backward(output.loss)\n",
    **verdict,
) -> Member:
    source = changed(
        S3,
        ("import os\n", f"import os\n{imports}\naccelerator = Accelerator({options})\n"),
        (LOSS, backward),
        (MODEL, prepared + MODEL),
        *pairs,
    )
    return member(name, source, **verdict)


KINDS = [
    Kind(
        "accelerate costs a right program nothing",
        3,
        (
            accelerated("prepared", options="mixed_precision='fp16'"),
            accelerated(
                "one by one",
                prepared="    model = accelerator.prepare(model)\n    optimizer = accelerator.prepare_optimizer(optimizer)\n",
                options="cpu=True",
            ),
            accelerated(
                "gathered",
                (
                    ".logits.argmax(-1).cpu())",
                    ".logits.argmax(-1))\n            predictions[-1] = accelerator.gather_for_metrics(predictions[-1])",
                ),
                ('labels.append(batch["label_encoding"])', 'labels.append(accelerator.gather(batch["label_encoding"]))'),
            ),
            accelerated(
                "on its device",
                ('DEVICE = "cuda" if torch.cuda.is_available() else "cpu"', "DEVICE = accelerator.device")
                if 'DEVICE = "cuda" if torch.cuda.is_available() else "cpu"' in S3
                else ("num_epochs = 20\n", "num_epochs = 20\nDEVICE = accelerator.device\n"),
            ),
            accelerated(
                "in its contexts, clipped",
                (
                    "        optimizer.step()\n",
                    "        accelerator.clip_grad_norm_(model.parameters(), 1.0)\n        optimizer.step()\n",
                ),
                backward="        with accelerator.autocast():\n            loss = output.loss\n        accelerator.backward(loss)\n",
            ),
            accelerated(
                "saved by it",
                (
                    SAVED,
                    "accelerator.wait_for_everyone()\n            accelerator.save(accelerator.unwrap_model(model).state_dict(), 'checkpoints/best.pt')",
                ),
            ),
            accelerated("saved as a model", (SAVED, "accelerator.save_model(model, 'checkpoints')")),
            accelerated(
                "saved by the model",
                (
                    SAVED,
                    (
                        "if accelerator.is_main_process:\n                accelerator.unwrap_model(model).save_pretrained('checkpoints', "
                        "save_function=accelerator.save)"
                    ),
                ),
            ),
            accelerated(
                "seeded",
                ("    datasets = initialize", "    set_seed(64)\n    accelerator.print('ready')\n    datasets = initialize"),
                imports="import accelerate\nfrom accelerate import Accelerator\nfrom accelerate.utils import set_seed",
            ),
        ),
    ),
    Kind(
        "a program with accelerate loses what is wrong in it",
        3,
        (
            accelerated(
                "no zero_grad",
                ("        optimizer.zero_grad()\n", ""),
                lost={"3.train_one_epoch"},
                says={"3.train_one_epoch": "earlier batches"},
                points={"3.train_one_epoch": 3},
            ),
            accelerated("no backward", backward="", lost={"3.train_one_epoch"}, says={"3.train_one_epoch": "backward"}),
        ),
    ),
]
