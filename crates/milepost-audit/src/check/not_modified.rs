//! CC-3: a current entity tag in `If-None-Match` is answered with 304 (RFC 9110 §13.1.2, §15.4.5).

use crate::{
    engine::{Draft, Scene, Stop},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let tagged = scene.readable().into_iter().filter(|operation| {
        scene
            .baseline(*operation)
            .is_some_and(|known| known.response.fields.has("etag"))
    });
    let mut count = 0;
    for operation in tagged {
        count += 1;
        if scene
            .mask(operation)
            .spots()
            .any(|spot| *spot == crate::engine::Spot::Field("etag".to_owned()))
        {
            continue;
        }
        let target = scene.target(operation);
        let mut script = Script::default();
        let read = script.send(Send::get(target, Voice::client(1)));
        let again =
            script.send(Send::get(target, Voice::client(2)).field("if-none-match", "${0:etag}"));
        let whole = vec![
            Claim::FieldSame(read, again, "etag".to_owned()),
            Claim::Status(again, 200, 200),
        ];
        let bare = vec![
            Claim::Status(again, 304, 304),
            Claim::NoField(again, "etag".to_owned()),
        ];
        if let Some(proof) = scene.prove(script.clone(), whole, scene.mask(operation))? {
            let summary = "offers an entity tag, and sends the whole again to who has it";
            scene.file(Level::Warn, Draft::at(operation, summary).proof(proof));
        } else if let Some(proof) = scene.prove(script, bare, scene.mask(operation))? {
            let summary = "a 304 without the entity tag that the 200 would have had";
            scene.file(Level::Warn, Draft::at(operation, summary).proof(proof));
        } else {
            scene.fine(operation);
        }
    }
    if count == 0 {
        scene.unshown("not applicable: no answer has an entity tag");
    }
    Ok(())
}
