#include "engine/quantize/calibration_text.h"

namespace edgegate {

std::string CalibrationText() {
  return R"(The pump house stands at the bend of the river, where the road leaves the village. Every
morning at six the keeper reads the gauge, writes the level into a grey book, and opens the sluice a
little if the night was wet. On Tuesday he found 3.42 metres, eleven centimetres more than the day
before, and rang the office in town.

User: What does the camera at the north gate show?
Assistant: A white van is waiting in front of the barrier. The driver's window is open, and the
barrier light is red. There is nobody else in the picture.
User: Thanks. Please write a short notice for the staff.
Assistant: Dear colleagues, please keep the north gate clear between 7:30 and 9:00. Deliveries go to
the loading bay behind building C. If you have questions, ask at the front desk.

def average(values):
    total = 0.0
    for value in values:
        total += value
    return total / len(values) if values else None

{"sensor": "boiler-2", "temperature": 68.5, "unit": "C", "alarms": [], "ok": true}

Water boils at a lower temperature in the mountains because the air pressure is lower there. This is
why pasta takes longer to cook at 2,500 m than at the seaside. First, heat the water. Second, add a
spoon of salt. Third, wait until it boils again before you put the pasta in.

今天的天气很好，我们去公园散步。水表的读数是一千二百三十四立方米。请用一句话回答：天空为什么是蓝色的？
Wie spät ist es? Es ist Viertel nach drei, und der Zug fährt um halb vier. Où est la clé de la
salle des machines ? Elle est sur la table, à côté du téléphone. ¿Cuántas luces están encendidas?
Hay tres luces verdes y una roja.

Question: A tank holds 240 litres and loses 15 litres an hour. After how many hours is it empty?
Answer: 240 / 15 = 16, so the tank is empty after 16 hours.

The history of the lighthouse begins in 1784, when two ships were lost on the same night. The tower
was built of granite from the island; its lamp burned rape oil, then paraffin, and since 1931 it has
been electric. Tourists may climb the 199 steps from May to September, except on Mondays.
)";
}

}  // namespace edgegate
